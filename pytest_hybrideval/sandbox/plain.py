"""No sandbox at all: a plain process with limits, for machines where nothing better works."""

from __future__ import annotations

from pytest_hybrideval.sandbox.process import Job, RunResult, kill_marked, run_process


class PlainProcess:
    """Runs the command as the user who runs us. The runner's own limits hold, and its processes are ended.

    Ending is by three nets: the runner adopts orphans of its tree and kills them; here the process group and all
    descendants are killed; at last every process that works in the scratch folder or names it in its environment.
    """

    name = "none"
    label = "none: network and files are NOT blocked; time, memory, processes and output are limited"

    def command(self, job: Job) -> list[str]:
        """The job's `argv` as it is."""
        return list(job.argv)

    def run(self, job: Job) -> RunResult:
        """Run the job to its end. See `Sandbox.run`."""
        try:
            return run_process(self.command(job), job)
        finally:
            kill_marked(job.scratch)
