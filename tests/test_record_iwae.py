"""The recording script's own parts: compiled evaluation, loss, and going on after a stop."""

PROGRAM = """
import record_iwae as record  # first: it sets the backend
from helpers import data
from helpers.vae import evaluate
import jax, numpy as np
from pathlib import Path
from types import SimpleNamespace

digits = data.load("mnist-5k")
grey = np.rint(digits.x_train[:300] * 255).astype("uint8").reshape(-1, 784)
rng = np.random.default_rng(0)
drawn = np.mean([record.binarise_bytes(grey, rng) for _ in range(400)], axis=0)
error = np.sqrt(grey / 255 * (1 - grey / 255) / 400)  # 235,000 pixels: 6 of them are rare
assert (abs(drawn - grey / 255) <= 6 * error + 1e-9).all()

def epochs(of, count):  # of training: every image once in each, in another order
    for key in jax.random.split(jax.random.key(1), count):
        yield np.asarray(record.shuffled_batches(of, 6, 50, key)).reshape(300, 784)
half = np.repeat(np.arange(300)[:, None] % 2 * 255, 784, axis=1).astype("uint8")
orders = [images[:, 0] for images in epochs(jax.numpy.asarray(half), 2)]
assert orders[0].sum() == orders[1].sum() == 150 and (orders[0] != orders[1]).any()
one = jax.numpy.asarray(np.repeat(grey[:1], 300, axis=0))
drawn = np.mean([images.mean(axis=0) for images in epochs(one, 20)], axis=0)
error = np.sqrt(grey[0] / 255 * (1 - grey[0] / 255) / 6000)
assert (abs(drawn - grey[0] / 255) <= 5 * error + 1e-9).all()

record.CACHE = Path(r"{folder}")
reported, before = [], {}
def run(name, stop=None, every=1, start=None):
    args = SimpleNamespace(objective="iwae", k=3, epochs=4, batch=50, rate=2e-3, decay=0.5,
                           ema=0.9, seed=0, every=every, name=name, start=start, unroll=1)
    class Stop(Exception):
        pass
    def report(progress):
        reported.append(progress["epoch"])
        before[name] = progress.get("before", 0)
        if progress["epoch"] == stop:
            raise Stop
    try:
        return record.train(args, grey, report)
    except Stop:
        return None

model, whole = run("whole")
assert run("stopped", stop=2) is None  # killed after the checkpoint of epoch 2
_, resumed = run("stopped")
for a, b in zip(sum(map(list, whole), []), sum(map(list, resumed), []), strict=True):
    np.testing.assert_array_equal(a, b)
assert reported == [1, 2, 3, 4, 1, 2, 2, 3, 4], reported  # and so is what was recorded before
old = record.CACHE / "stopped_test_5000.npy"
old.touch()
run("stopped")  # nothing is left to train: what was evaluated still holds
assert reported[9:] == [4] and old.exists()
(record.CACHE / "stopped.npz").unlink()
run("stopped", stop=1)  # other weights
assert not old.exists()

_, further = run("further", start="whole")  # four epochs more, from where "whole" ended
_, once_more = run("once_more", start="further")
assert before == {"whole": 0, "stopped": 0, "further": 4, "once_more": 8}, before
steps = [int(state[2][0]) for state in (whole, further, once_more)]  # what Adam has counted
assert steps == [24, 48, 72], steps

for variable, value in zip(model.trainable_variables, whole[0], strict=True):
    variable.assign(value)
x = data.binarise(digits.x_val[:1], 0).reshape(1, 784)
many = np.repeat(x, 60, axis=0)
ours = np.asarray(record.log_likelihood_function(model, 200, 10)(whole[0], many, jax.random.key(1)))
theirs = evaluate.log_likelihood(model, many, samples=200)
error = np.hypot(ours.std(), theirs.std()) / 60**0.5
assert abs(ours.mean() - theirs.mean()) < 5 * error < 1, (ours.mean(), theirs.mean(), error)

fixed = [v.value for v in model.non_trainable_variables]
many = np.repeat(x, 3000, axis=0)
iwae = -evaluate.log_likelihood(model, many, samples=3)
vae = -evaluate.elbo(model, many, samples=3)
for objective, nats in (("iwae", iwae), ("vae", vae)):
    loss, _ = record.loss_function(model, objective)(whole[0], fixed, many)
    assert abs(loss - nats.mean()) < 5 * 2**0.5 * nats.std() / 3000**0.5, (objective, loss)
assert iwae.mean() < vae.mean()
args = SimpleNamespace(epochs=10, decay=0.4, rate=1.0)
rates = np.concatenate([record.learning_rates(args, epoch, 5) for epoch in range(10)])
np.testing.assert_allclose(rates, np.minimum(1, (50 - np.arange(50)) / 20), rtol=1e-6)
"""


def test_parts_agree_with_the_helpers_and_a_stopped_run_goes_on(run_on_jax, tmp_path):
    run_on_jax(
        PROGRAM.replace("{folder}", str(tmp_path)),
        # Seven trainings, the same program: compiled once.
        JAX_COMPILATION_CACHE_DIR=str(tmp_path / "compiled"),
        JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
    )
