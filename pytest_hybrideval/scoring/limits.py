"""What tested code may use: time, memory, processes, files, output."""

from __future__ import annotations

from dataclasses import asdict, dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Limits of one run. The runner sets them on itself, inside the sandbox, before it does anything else.

    `wall_seconds` is for the whole test run; None means the task's own `scoring_seconds`. `memory_bytes` is address
    space per process (RLIMIT_AS). `processes` holds for all processes together: the runner counts them several times a
    second and ends the run above it; in a user namespace of its own on Linux 5.14 and later RLIMIT_NPROC (which counts
    threads too) refuses them at once, but never to root, whom the kernel exempts in every namespace. `file_bytes` is
    the size of any one file written. `output_bytes` caps each of standard output and standard error: what is beyond is
    counted and thrown away while the run goes on, so memory stays flat.
    """

    wall_seconds: float | None = None
    memory_bytes: int = 2048 * MIB
    processes: int = 256
    file_bytes: int = 64 * MIB
    open_files: int = 512
    output_bytes: int = MIB

    def as_job(self) -> dict[str, int | float | None]:
        """The limits as the runner reads them: plain JSON values by field name."""
        return asdict(self)
