"""One report of a benchmark beside an older one."""

from dataclasses import dataclass

from edge_runtime.benchmark.report import Report, ThreadFigures


@dataclass(frozen=True, slots=True)
class Ratio:
    """One figure, then and now.

    Attributes:
        threads: CPU threads for the model.
        figure: Which.
        old: Its value in the older report.
        new: Its value now.
    """

    threads: int
    figure: str
    old: float
    new: float

    @property
    def ratio(self) -> float:
        """New by old."""
        return self.new / self.old


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two reports differ.

    Attributes:
        differences: A sentence for each thing besides the figures that is not the same in both.
        ratios: For each number of threads that is in both.
    """

    differences: tuple[str, ...]
    ratios: tuple[Ratio, ...]


def compare(old: Report, new: Report) -> Comparison:
    """Hold a report against an older one."""
    before = {figures.threads: figures for figures in old.figures}
    pairs = [(before[now.threads], now) for now in new.figures if now.threads in before]
    ratios = tuple(ratio for then, now in pairs for ratio in _ratios(then, now))
    return Comparison(tuple(_differences(old, new)), ratios)


def _differences(old: Report, new: Report) -> list[str]:
    facts = {
        "model": (old.model_sha256[:12], new.model_sha256[:12]),
        "delegate": (old.delegate, new.delegate),
        "live": (old.live, new.live),
        "input": (old.input, new.input),
        "threads": ([each.threads for each in old.figures], [each.threads for each in new.figures]),
        **{key: (old.machine.get(key), new.machine.get(key)) for key in old.machine | new.machine},
    }
    return [f"Differs in {what}: {then} before, {now} now." for what, (then, now) in facts.items() if then != now]


def _ratios(old: ThreadFigures, new: ThreadFigures) -> list[Ratio]:
    figures = {
        "frames/s": (old.frames_per_s, new.frames_per_s),
        "CPU ms a frame": (old.cpu_ms, new.cpu_ms),
        "cold start s": (old.cold_start_s, new.cold_start_s),
        "peak RSS MB": (old.peak_rss_mb, new.peak_rss_mb),
        **{
            f"{stage} p50 ms": (old.stages_ms[stage].p50, times.p50)
            for stage, times in new.stages_ms.items()
            if stage in old.stages_ms
        },
    }
    known = ((name, then, now) for name, (then, now) in figures.items() if then is not None and now is not None)
    return [Ratio(new.threads, name, then, now) for name, then, now in known]
