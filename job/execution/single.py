"""One network from one random start, as in the tutorial."""

from job import logs
from job.errors import ConfigError
from job.problems import THRESHOLD
from job.settings.grid import SEED_SPAN, trial_at
from job.settings.sweep import Settings
from job.training.devices import start_tensorflow
from job.wording import hidden_layers_words, limit_words, quoted


def check_seed(seed: object, where: str) -> None:
    """Refuse a value that is not a seed, or that would draw the same weights as another.

    Raises:
        ConfigError: it is not a whole number, too large, or below 0.
    """
    if not isinstance(seed, int) or not 0 <= seed < SEED_SPAN:
        right = f"the seed of initial weights is a whole number from 0 to {SEED_SPAN - 1}"
        raise ConfigError(f"{where}: {quoted(seed)} is not possible: {right}")


def train_single(settings: Settings, seed: int, *, sink: logs.Sink, debug: bool = False) -> None:
    """Train the first network of a grid from one start; nothing is stored.

    Args:
        settings: each axis has one value.
        seed: the seed of the initial weights, from 0 to `SEED_SPAN` - 1.
        sink: receives the log lines: loss and accuracy at ever wider intervals, the epoch at which the network
            solves the problem, and its answers in the problem's rows.
        debug: let TensorFlow print its start-up messages.

    Raises:
        DeviceError: a GPU was requested, but there is none.
        TrialError: the numbers are no longer finite.
    """
    problem, architecture = settings.problem, trial_at(settings, 0).architecture
    start_tensorflow(settings.device, debug=debug)
    from job.attempt.log import MILESTONES, milestones
    from job.training.loop import Hooks, Progress, train  # TensorFlow must be started first

    size = hidden_layers_words(architecture.layers, architecture.neurons)
    sink(logs.event(f"{size}, {architecture.weights} weights, seed {seed}"))

    def show_epoch(epoch: int, loss: float, accuracy: float) -> None:
        message = f"epoch {epoch:>6}  loss {loss:.6f}  accuracy {accuracy:.2f}"
        sink(logs.event(message, epoch=epoch, loss=loss, accuracy=accuracy))

    def show(progress: Progress) -> None:
        for epoch, loss, accuracy, _ in milestones(progress):
            show_epoch(epoch, loss, accuracy)

    training = train(
        problem,
        architecture,
        [seed],
        settings.epochs,
        keep_training=settings.keep_training,
        hooks=Hooks(report=show),
    )
    epoch = len(training.loss)
    if epoch not in MILESTONES:
        show_epoch(epoch, float(training.loss[-1, 0]), float(training.accuracy[-1, 0]))
    if training.solved[0]:
        sink(logs.event(f"100% in epoch {training.epochs[0]}", epochs_to_solve=int(training.epochs[0])))
    else:
        sink(logs.event(f"not solved within {limit_words(epoch)}", epochs_to_solve=None))
    predictions = training.predictions[:, 0].tolist()
    for row, name, prediction in zip(problem.rows, problem.row_names, predictions, strict=True):
        message = f"{name} = {int(prediction > THRESHOLD)}  ({prediction:.4f})"
        sink(logs.event(message, inputs=list(row), prediction=prediction))
