"""The grid: which trials there are, what they are called, and which seeds their replicates have."""

import itertools

import pytest

from job.errors import ConfigError
from job.settings.grid import SEED_SPAN, Architecture, replicate_seeds, trial_at, trial_named, trials, trials_of_pod
from job.settings.sweep import OPTIMIZERS, make_config


def test_the_default_grid_is_three_depths_by_five_widths():
    names = [trial.name for trial in trials(make_config({}))]
    assert names == [f"l{layers}-n{neurons}" for layers in (1, 2, 3) for neurons in (2, 4, 8, 16, 32)]


def test_a_name_tells_the_other_axes_only_where_the_grid_varies_them():
    config = make_config({"layers": 1, "neurons": 4, "activation": ["relu", "tanh"], "learning_rate": [0.1, 1e-05]})
    assert [trial.name for trial in trials(config)] == [
        "l1-n4-relu-lr0.1",
        "l1-n4-relu-lr1e-05",
        "l1-n4-tanh-lr0.1",
        "l1-n4-tanh-lr1e-05",
    ]


def test_trials_can_be_found_by_index_and_by_name():
    config = make_config({"layers": [1, 3], "neurons": [2, 5, 9], "loss": ["binary_crossentropy"]})
    for index, trial in enumerate(trials(config)):
        assert trial.index == index
        assert trial_at(config, index) == trial
        assert trial_named(config, trial.name) == trial
    assert config.trial_count == 6


@pytest.mark.parametrize("index", [-1, 15, 10**9])
def test_an_index_outside_the_grid_is_refused_with_the_indexes_that_there_are(index):
    with pytest.raises(ConfigError, match=r"0 to 14"):
        trials_of_pod(make_config({}), index)


def test_without_a_learning_rate_each_optimizer_has_its_own_default():
    config = make_config({"layers": 1, "neurons": 2, "optimizer": ["adam", "sgd"]})
    rates = [trial.architecture.learning_rate for trial in trials(config)]
    assert rates == [OPTIMIZERS["adam"], OPTIMIZERS["sgd"]]


def test_the_number_of_weights_counts_kernels_and_biases():
    assert Architecture(1, 16).weights == 2 * 16 + 16 + 16 + 1
    assert Architecture(3, 4).weights == (2 * 4 + 4) + 2 * (4 * 4 + 4) + (4 + 1)


def test_an_architecture_has_the_same_seeds_in_every_grid():
    small, large = make_config({"layers": 2, "neurons": 16}), make_config({"activation": ["relu", "tanh"]})
    one = trial_named(small, "l2-n16").architecture
    same = trial_named(large, "l2-n16-relu").architecture
    assert replicate_seeds(small, one) == replicate_seeds(large, same)


def test_more_replicates_begin_with_the_seeds_of_fewer():
    few, many = make_config({"replicates": 10}), make_config({"replicates": 20})
    architecture = Architecture(1, 2)
    shared = set(replicate_seeds(few, architecture)) & set(replicate_seeds(many, architecture))
    assert len(shared) == 10


def test_two_trials_and_two_sweeps_share_no_seed():
    configs = [make_config({"seed": seed}) for seed in (0, 1)]
    ranges = [set(replicate_seeds(config, trial.architecture)) for config in configs for trial in trials(config)]
    assert all(one.isdisjoint(other) for one, other in itertools.combinations(ranges, 2))


def test_every_seed_is_one_that_keras_tells_from_all_others():
    config = make_config({"replicates": 1_000_000, "epochs": 1})
    seeds = replicate_seeds(config, Architecture(1, 2))
    assert len(seeds) == 1_000_000
    assert min(seeds) >= 0
    assert max(seeds) < SEED_SPAN


@pytest.mark.parametrize("trials_per_pod", [1, 2, 4, 15, 100])
def test_the_pods_of_a_job_train_each_trial_once(trials_per_pod):
    config = make_config({"trials_per_pod": trials_per_pod})
    trained = [trial for index in range(config.pod_count) for trial in trials_of_pod(config, index)]
    assert trained == list(trials(config))
    assert all(trials_of_pod(config, index) for index in range(config.pod_count))
    with pytest.raises(ConfigError):
        trials_of_pod(config, config.pod_count)
