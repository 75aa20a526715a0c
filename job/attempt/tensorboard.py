"""A trial as TensorBoard shows it: its curves as scalars, and its line in the HParams table.

An event file is a TFRecord of TensorFlow's own `Event`s; TensorBoard is needed only to look at it.
"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass
from numpy.typing import NDArray

from job.runs.results import Outcome
from job.settings.axes import AXES, Axis
from job.settings.grid import Trial
from job.settings.sweep import Sweep
from job.wording import limit_words, value_words

MOST_POINTS = 300
"""The most epochs of a curve; longer curves are thinned, because TensorBoard keeps a random 1,000 points."""

CURVES = {
    f"{measure}/{line}": column
    for measure in ("accuracy", "loss")
    for line, column in {
        "chosen": f"chosen_{measure}",
        **{line: f"{measure}_{line}" for line in ("q10", "median", "q90")},
    }.items()
}
"""The tag of each curve, and its column in history.csv."""

SHARE_SOLVED_TAG, MEDIAN_TAG = "share_solved", "median_epochs_to_solve"
"""The tags of the two metrics in the HParams table; the first is a curve, too."""


def write_events(
    path: Path,
    run: str,
    sweep: Sweep,
    trial: Trial,
    history: Mapping[str, NDArray[Any]],
    numbers: Outcome,
    seconds: float,
) -> None:
    """Write a trial that has just been trained as an event file.

    Args:
        path: the file.
        run: the run's name.
        sweep: the sweep.
        trial: the trial.
        history: the columns of history.csv, (epochs,) each.
        numbers: the trial's numbers.
        seconds: how long the training took.

    Raises:
        OSError: the file cannot be written.
    """
    now = time.time()
    try:
        with tf.io.TFRecordWriter(str(path)) as file:
            file.write(tf.compat.v1.Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
            table_line = [
                _hparams("experiment", {"experiment": _experiment(sweep)}),
                _hparams("session_start_info", {"session_start_info": _session(run, trial, now - seconds)}),
                _hparams("session_end_info", {"session_end_info": {"status": _SUCCESS, "end_time_secs": now}}),
            ]
            for step, values in [(0, table_line), *_points(history, numbers)]:
                event = tf.compat.v1.Event(wall_time=now, step=step, summary=tf.compat.v1.Summary(value=values))
                file.write(event.SerializeToString())
    except tf.errors.OpError as error:
        raise OSError(error.message) from error


def shown_epochs(epochs: int) -> NDArray[np.int64]:
    """Return which of this many epochs a curve shows: all at first, then sparser, always including the last."""
    return np.unique(np.geomspace(1, epochs, MOST_POINTS).round().astype("int64"))


def _points(history: Mapping[str, NDArray[Any]], numbers: Outcome) -> Iterator[tuple[int, list[Any]]]:
    """Yield the epochs that the curves show, each with the curves' values there."""
    columns = {tag: history[column] for tag, column in CURVES.items()}
    columns[SHARE_SOLVED_TAG] = history["solved"] / numbers.replicates
    last = len(history["epoch"])
    for epoch in shown_epochs(last).tolist():
        yield epoch, [_scalar(tag, column[epoch - 1]) for tag, column in columns.items()]
    if numbers.median is not None:
        yield last, [_scalar(MEDIAN_TAG, numbers.median)]


def _scalar(tag: str, value: float) -> Any:
    return tf.compat.v1.Summary.Value(tag=tag, simple_value=value)


def _experiment(sweep: Sweep) -> dict[str, Any]:
    """Return the table's columns, identical for all trials, because TensorBoard reads only one of them.

    No axis lists its values: TensorBoard would hide another run's trials that have other values.
    """
    hparams = [
        {
            "name": axis.name,
            "type": _STRING if axis.kind is str else _FLOAT64,
            # A learning rate that was left out is the optimizer's.
            "differs": len(getattr(sweep, axis.name) or sweep.optimizer) > 1,
        }
        for axis in AXES
    ]
    limit = f"within {limit_words(sweep.epochs)}"
    metrics = [
        {
            "name": {"tag": MEDIAN_TAG},
            "display_name": "median epochs to solve",
            "description": f"Empty if fewer than half of the starts solved {sweep.problem.title} {limit}.",
        },
        {
            "name": {"tag": SHARE_SOLVED_TAG},
            "display_name": "share solved",
            "description": f"Share of the starts that solved {sweep.problem.title} {limit}.",
        },
    ]
    return {"hparam_infos": hparams, "metric_infos": metrics}


def _session(run: str, trial: Trial, started: float) -> dict[str, Any]:
    """Return the table's line; its name is unique even when TensorBoard shows several runs."""
    hparams = [{"key": axis.name, "value": _value(axis, trial)} for axis in AXES]
    return {"hparams": hparams, "group_name": f"{trial.name} ({run})", "start_time_secs": started}


def _value(axis: Axis, trial: Trial) -> dict[str, Any]:
    value = getattr(trial.architecture, axis.name)
    return {"string_value": value_words(value)} if axis.kind is str else {"number_value": value}


def _hparams(tag: str, content: dict[str, Any]) -> Any:
    """Return a value of the HParams plug-in: its content is in the metadata."""
    data = ParseDict(content, _PLUGIN_DATA()).SerializeToString()
    plugin_data = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="hparams", content=data)
    metadata = tf.compat.v1.SummaryMetadata(plugin_data=plugin_data)
    return tf.compat.v1.Summary.Value(tag=f"_hparams_/{tag}", metadata=metadata, tensor=tf.make_tensor_proto(0.0))


# The plug-in's messages, as far as they are written: each field's number and type ("*": a list), from
# https://github.com/tensorflow/tensorboard/tree/2.21.0/tensorboard/plugins/hparams (plugin_data.proto, api.proto).
_MESSAGES = {
    "HParamsPluginData": {
        "experiment": (2, "Experiment"),
        "session_start_info": (3, "SessionStartInfo"),
        "session_end_info": (4, "SessionEndInfo"),
    },
    "Experiment": {"hparam_infos": (4, "HParamInfo*"), "metric_infos": (5, "MetricInfo*")},
    "HParamInfo": {"name": (1, "string"), "type": (4, "int32"), "differs": (7, "bool")},
    "MetricInfo": {"name": (1, "MetricName"), "display_name": (3, "string"), "description": (4, "string")},
    "MetricName": {"tag": (2, "string")},
    "SessionStartInfo": {"hparams": (1, "HParam*"), "group_name": (4, "string"), "start_time_secs": (5, "double")},
    "HParam": {"key": (1, "string"), "value": (2, "Value")},
    "Value": {"number_value": (2, "double"), "string_value": (3, "string")},
    "SessionEndInfo": {"status": (1, "int32"), "end_time_secs": (2, "double")},
}
_STRING, _FLOAT64 = 1, 3
_SUCCESS = 1


def _plugin_data() -> Any:
    file = FileDescriptorProto(name="hparams.proto", package="hparams", syntax="proto2")
    for message, fields in _MESSAGES.items():
        made = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            made.field.add(name=name, number=number, **_field_type(kind))
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("hparams.HParamsPluginData"))


def _field_type(kind: str) -> dict[str, Any]:
    label = FieldDescriptorProto.LABEL_REPEATED if kind.endswith("*") else FieldDescriptorProto.LABEL_OPTIONAL
    if kind in _MESSAGES or kind.endswith("*"):
        return {"label": label, "type_name": f".hparams.{kind.rstrip('*')}"}
    return {"label": label, "type": getattr(FieldDescriptorProto, f"TYPE_{kind.upper()}")}


_PLUGIN_DATA = _plugin_data()
