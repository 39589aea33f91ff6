# What the two PyTorch programs of the comparison share, so that they differ in the model alone: the epoch, cut over
# data-parallel processes, the clock, and the one JSON line with the figures.
import argparse
import ctypes
import json
import multiprocessing
import os
import resource
import time

import torch

import kred_data as kd


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--docs", type=int, default=kd.DOCUMENTS, help="run this many and scale the seconds to 100,000")
    return crew(parser)


def crew(parser):
    """The options of the command line, those of every program included, and PyTorch set up as they ask."""
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="cores to use in all, 0 = all allowed")
    parser.add_argument("--workers", type=int, default=1, help="data-parallel processes that share those cores")
    options = parser.parse_args()
    options.threads = options.threads or len(os.sched_getaffinity(0))
    options.workers = min(options.workers, options.threads)
    torch.set_num_threads(max(1, options.threads // options.workers))
    torch.manual_seed(options.seed)
    return options


class Team:
    """Equal processes with a part of every batch each; gradients and parameters lie in memory they share."""

    def __init__(self, parameters, workers):
        self.workers, self.rank, self.meetings = workers, 0, 0
        self.arrived = torch.zeros(workers, dtype=torch.int64).share_memory_().numpy()
        size = sum(p.numel() for p in parameters)
        self.values = torch.empty(size).share_memory_()
        self.gradients = torch.zeros(workers, size).share_memory_()
        at = 0
        for p in parameters:  # all parameters are pieces of one array: one addition, one optimiser call
            piece = self.values[at:at + p.numel()].view_as(p)
            piece.copy_(p.data)
            p.data = piece
            at += p.numel()
        self.parameters = parameters

    def run(self, work):
        """work() in every process; what it returns in the first one. Processes are forked, so they share the data."""
        others = []
        for self.rank in range(1, self.workers):
            others.append(multiprocessing.get_context("fork").Process(target=self.start, args=(work,), daemon=True))
            others[-1].start()
        self.rank = 0
        result = self.start(work)
        for process in others:
            process.join()
        return result

    def start(self, work):
        at = 0
        for p in self.parameters:
            p.grad = self.gradients[self.rank][at:at + p.numel()].view_as(p)
            at += p.numel()
        each = -(-len(self.values) // self.workers)
        self.part = slice(self.rank * each, (self.rank + 1) * each)  # of the parameters: this process's to update
        mine = torch.nn.Parameter(self.values[self.part])
        self.adam = self.optimiser(mine)
        mine.grad = torch.empty_like(mine)
        self.mine = mine
        self.parent = os.getppid()
        try:
            return work()
        except BaseException:
            self.arrived[self.rank] = -1  # or the others would wait forever
            raise

    def optimiser(self, mine):
        return torch.optim.Adam([mine], lr=1e-3, weight_decay=1e-5)

    def meet(self):
        """Waits until every process is here."""
        self.meetings += 1
        self.arrived[self.rank] = self.meetings
        while (last := self.arrived.min()) < self.meetings:
            if last < 0 or os.getppid() != self.parent:
                raise SystemExit("another process of the team failed")
            os.sched_yield()

    def step(self):
        """Sums the gradients and applies Adam with coupled L2, each process to its part."""
        self.meet()
        torch.sum(self.gradients[:, self.part], 0, out=self.mine.grad)
        self.adam.step()
        self.meet()
        self.gradients[self.rank].zero_()

    def split(self, rows):
        return rows[self.rank::self.workers]

    def sum(self, values):
        """The sum of a small vector over all processes."""
        self.gradients[self.rank, :len(values)] = values
        self.meet()
        total = self.gradients[:, :len(values)].sum(0)
        self.meet()
        self.gradients[self.rank].zero_()
        return total

    def seconds(self, work):
        """Wall seconds until the last process has done its work, and what work returned."""
        self.meet()
        start = time.perf_counter()
        result = work()
        self.meet()
        return time.perf_counter() - start, result


def train(team, data, gradients):
    """One epoch. gradients(rows) adds this process's share of a batch's gradients, and returns its share of the loss.
    Returns the mean losses, over all processes, of the first and of the last tenth of the steps."""
    losses = []
    for rows in data.order.split(kd.BATCH):
        losses.append(gradients(rows))
        team.step()
    losses, tenth = torch.stack(losses), max(1, len(losses) // 10)
    return team.sum(torch.stack([losses[:tenth].mean(), losses[-tenth:].mean()])).tolist()


def warm_up(team, data, gradients):
    """Lets the allocator and the thread pool find their size; parameters stay as they are."""
    for _ in range(3):
        gradients(data.order[:kd.BATCH])
        team.gradients[team.rank].zero_()


def blas():
    """The BLAS library that PyTorch's products really run on."""
    with open("/proc/self/maps") as maps:
        paths = {os.path.basename(line.split()[-1]) for line in maps if "blas" in line}
    if not any("openblas" in path for path in paths):
        return ", ".join(sorted(paths)) or "unknown"
    library = ctypes.CDLL("libopenblas.so.0")
    library.openblas_get_config.restype = library.openblas_get_corename.restype = ctypes.c_char_p
    config = library.openblas_get_config().decode()
    pool = "OpenMP" if "USE_OPENMP" in config else "own"
    return f"{' '.join(config.split()[:2])}, {library.openblas_get_corename().decode()} kernels, {pool} threads"


def report(program, options, data, losses, seconds, unscaled=()):
    """Prints the JSON line. seconds: name -> seconds of options.docs articles, scaled here unless named in unscaled."""
    scale = kd.DOCUMENTS / options.docs
    u_h, u_t = kd.shares(data)
    usage = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    figures = {"program": program, "docs_run": options.docs, "extrapolated": scale != 1, "seed": options.seed}
    figures.update({name: value * (1 if name in unscaled else scale) for name, value in seconds.items()})
    figures.update(loss_first=losses[0], loss_last=losses[1], unique_heads=u_h, unique_neighbours=u_t,
                   torch=torch.__version__, blas=blas(), threads=options.threads, workers=options.workers,
                   peak_rss_bytes=1024 * max(usage),  # of the largest process; what they share counts in each
                   load=os.getloadavg()[0])
    print(json.dumps({k: float(f"{v:.5g}") if isinstance(v, float) else v for k, v in figures.items()}))
