#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pipeline_job.py github|gitlab FILE JOB CONTEXT - runs one job of a pipeline's YAML in the current folder, a fresh clone.

Executes the job's own `run:` and `script:` lines as the service's shell would. CONTEXT is a JSON file: what the service knows ("github.token",
"secrets.X", "vars.X"; of GitLab its variables). A name that it does not hold is "" for secrets and vars, and else a mistake. The job gets PATH,
HOME and what the YAML gives it, nothing else of ours. Of actions only those below are known: checkout is what the caller did; artefacts
go to $ARTIFACTS. Exit status: the first failing step's.
"""
import json
import os
import re
import shutil
import subprocess
import sys

import yaml


def fail(words):
    print(f"pipeline_job.py: {words}", file=sys.stderr)
    sys.exit(99)


def shell(script, env):
    sys.stdout.flush()
    return subprocess.run(["bash", "-eo", "pipefail", "-c", script], env=env, stderr=subprocess.STDOUT, check=False).returncode


def base_env():
    return {name: os.environ[name] for name in ("PATH", "HOME", "FAKE_GH") if name in os.environ}


def keep(path, name):
    if not os.path.exists(path):
        fail(f"there is no {path} to keep")
    shutil.copytree(path, os.path.join(os.environ["ARTIFACTS"], name), dirs_exist_ok=True)


class GitHub:
    def __init__(self, job, doc, context):
        self.context = context
        if "concurrency" not in doc:
            fail("nothing says that one job runs at a time")
        self.env = base_env() | self.values(doc.get("env", {})) | self.values(job.get("env", {}))
        for name in ("GITHUB_REPOSITORY", "GITHUB_STEP_SUMMARY"):
            self.env[name] = context[name]

    def value(self, match):
        name = match.group(1).strip()
        if name in self.context:
            return self.context[name]
        if name.startswith(("secrets.", "vars.")):
            return ""
        return fail(f"what is '{name}'?")

    def values(self, env):
        return {k: re.sub(r"\$\{\{(.*?)\}\}", self.value, str(v)) for k, v in env.items()}

    def uses(self, step):
        action = step["uses"].split("@")[0]
        if action == "actions/upload-artifact":
            keep(step["with"]["path"], step["with"]["name"])
        elif action == "github/codeql-action/upload-sarif":
            with open(step["with"]["sarif_file"], encoding="utf-8") as file:
                if json.load(file)["version"] != "2.1.0":
                    fail("the findings are no SARIF 2.1.0")
        elif action == "actions/checkout":
            if "ref" in step.get("with", {}):
                fail("another commit is checked out")
        else:
            fail(f"what is '{action}'?")

    def run(self, job):
        status = 0
        for step in job["steps"]:
            if status and step.get("if") != "always()":
                continue
            if "uses" in step:
                self.uses(step)
                continue
            if "${{" in step["run"]:
                fail("an expression in a script: what it holds would be run")
            print(f"== {step.get('name', step['run'])}")
            result = shell(step["run"], self.env | self.values(step.get("env", {})))
            status = status or result
        return status


class GitLab:
    def __init__(self, job, doc, context):
        env = base_env() | context
        for variables in (doc.get("variables", {}), job.get("variables", {})):
            for k, v in variables.items():
                env[k] = re.sub(r"\$(\w+)", lambda m: env.get(m.group(1), ""), str(v))
        self.env = env

    def run(self, job):
        status = shell("\n".join(job["script"]), self.env)
        after = shell("\n".join(job.get("after_script", [])), self.env)
        if after:
            print(f"after_script: exit {after}")
        artifacts = job.get("artifacts", {})
        for path in artifacts.get("paths", []):
            keep(path, path)
        quality = artifacts.get("reports", {}).get("codequality")
        if quality:
            with open(quality, encoding="utf-8") as file:
                json.load(file)
        return status


def main():
    service, path, name, context = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        doc = yaml.safe_load(file)
    with open(context, encoding="utf-8") as file:
        known = json.load(file)
    job = doc["jobs"][name] if service == "github" else doc[name]
    sys.exit({"github": GitHub, "gitlab": GitLab}[service](job, doc, known).run(job))


main()
