"""The devices to train on: TensorFlow is started here, quietly, and told which of them it may use."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from job.errors import DeviceError

_NVIDIA_DEVICES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")
"""The device files that a process sees if it may use an NVIDIA GPU (the last one under Windows' WSL)."""

_XLA_FLAGS = "--xla_cpu_prefer_vector_width=512 --xla_cpu_enable_concurrency_optimized_scheduler=false"
"""Full vector registers, and operations in the order that needs the least memory: one program has one core."""


def driver_is_here() -> bool:
    """Return whether this machine (or pod) has an NVIDIA driver, without starting TensorFlow."""
    return any(Path(device).exists() for device in _NVIDIA_DEVICES)


def start_tensorflow(device: str, *, debug: bool = False) -> str:
    """Import TensorFlow for one device; must be called before anything else imports it.

    Args:
        device: `cpu`, `gpu`, or `auto`: a GPU if there is one.
        debug: let TensorFlow print its messages as it starts.

    Returns:
        `cpu` or `gpu`: where the training will run.

    Raises:
        DeviceError: `gpu` was requested, but there is none.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["XLA_FLAGS"] = f"{_XLA_FLAGS} {os.environ.get('XLA_FLAGS', '')}".strip()
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    if not debug:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _stderr_held_back(not debug):
        import tensorflow as tf  # takes seconds, and nothing but training needs it

        gpus = tf.config.list_physical_devices("GPU")
    tf.get_logger().setLevel("WARNING" if debug else "ERROR")
    if device == "gpu" and not gpus:
        raise DeviceError(_no_gpu(tf))
    if not gpus:
        # One program has one core; other programs side by side use the others.
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.threading.set_intra_op_parallelism_threads(1)
        return "cpu"
    for gpu in gpus:
        # Otherwise the first process takes all the memory of a GPU that several pods may share.
        tf.config.experimental.set_memory_growth(gpu, True)
    return "gpu"


def _no_gpu(tf: Any) -> str:
    build = tf.sysconfig.get_build_info()
    found = [path for path in _NVIDIA_DEVICES if Path(path).exists()]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if not build.get("is_cuda_build"):
        remedy = "this TensorFlow is the CPU build: install the GPU build (make EXTRA=gpu, or the gpu image)"
    elif not found:
        remedy = "run on a node with an NVIDIA GPU and its driver (in Kubernetes: request nvidia.com/gpu)"
    else:
        remedy = "check that the driver is new enough for this TensorFlow's CUDA and is not hidden"
    return (
        f"no GPU found (TensorFlow {tf.__version__}, driver devices {', '.join(found) or 'none'}, "
        f"CUDA_VISIBLE_DEVICES {visible or 'not set'}); {remedy}, or use --device cpu"
    )


@contextmanager
def _stderr_held_back(held: bool) -> Iterator[None]:
    """Hold back what C++ code writes to standard error during an import, and print it only if the import fails.

    TF_CPP_MIN_LOG_LEVEL does not suppress these lines: they are written before the logger reads it.
    """
    if not held:
        yield
        return
    with tempfile.TemporaryFile() as kept:
        saved = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except Exception:
            kept.seek(0)
            os.write(saved, kept.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def usable_cores() -> int:
    """Return how many cores this process may use, by its CPU affinity and its container's quota; at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *_quotas()]))


def _quotas(root: Path = Path("/sys/fs/cgroup")) -> Iterable[int]:
    """Yield the container's CPU quota, rounded up, from control groups (version 2, then version 1)."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
    except OSError:
        try:
            quota, period = ((root / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        except OSError:
            return
    if quota.strip().isdigit():
        yield -(-int(quota) // int(period))
