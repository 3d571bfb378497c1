"""The recipe of chapter 63: its one network is the course's, and its scores are what they say."""

from types import SimpleNamespace

from helpers import data
from helpers.runtime import keras
from helpers.table import ArchitectureTable, layers_of
import jax
from jax import numpy as jnp
from make_architectures import build_vae
import numpy as np
import pytest
import record_nas as nas
from recording import Record

TABLE = ArchitectureTable.load()
DEPTHS = [next(p for p in TABLE.params if p["depth"] == depth) for depth in (1, 2, 3)]
RELU = [
    next(p for p in TABLE.params if p["depth"] == d and set(layers_of(p)[1]) == {"relu"})
    for d in (1, 3)
]


def quick(function):
    """Compiled without optimisation: these tests compile more than they compute."""
    options = {"xla_backend_optimization_level": 0}
    return jax.jit(getattr(function, "__wrapped__", function), compiler_options=options)


initial = quick(nas.initial)  # once for all tests


@quick
def loss_and_gradient(weights, gates, x, noise):
    return jax.value_and_grad(lambda w: nas.negative_elbo(w, gates, x, noise).mean())(weights)


def drawn(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def super_weights_of(vae, params: dict) -> dict:
    """The weights of a VAE at their place in the largest network; all around them is rubbish."""
    weights = {name: 3 * drawn(*shape) for name, shape in nas.shapes().items()}
    depth = params["depth"]
    inner, outer = ([x for x in half.layers if x.weights] for half in (vae.encoder, vae.decoder))

    def put(layer, kernel, bias):
        values = layer.get_weights()
        for target, value in zip((kernel, bias), values, strict=True):
            target[tuple(slice(size) for size in value.shape)] = value

    for k, layer in enumerate(inner[:depth]):
        put(layer, weights[f"down_{k}"][0], weights[f"down_{k}_bias"][0])
    for side, layer in enumerate(inner[depth:]):
        put(layer, weights["heads"][depth - 1, :, side], weights["heads_bias"][depth - 1, side])
    for k, layer in zip(reversed(range(depth)), outer, strict=False):
        kernel = weights[f"up_{k + 1}"][0] if k < depth - 1 else weights["entrances"][k, 0]
        put(layer, kernel, weights[f"up_{k}_bias"][0])
    put(outer[depth], weights["logits"], weights["logits_bias"])
    return weights


@pytest.mark.parametrize("params", DEPTHS, ids=lambda params: str(params["depth"]))
def test_a_slice_is_the_course_s_network(params):
    vae, gates, x = build_vae(params, 0), nas.gates_of(params), (drawn(7, 64) > 0) * 1.0
    weights, latents = super_weights_of(vae, params), params["latent_dim"]
    codes = [np.asarray(code) for code in nas.encode(weights, gates, x, [])]
    own = [keras.ops.convert_to_numpy(c) for c in vae.encoder(x.reshape(-1, 8, 8))]
    for code, one in zip(codes, own, strict=True):
        np.testing.assert_allclose(code[:, :latents], one, atol=1e-5)
        assert not code[:, latents:].any()
    logits = nas.decode(weights, gates, codes[0], [])
    one = keras.ops.convert_to_numpy(vae.decoder(own[0])).reshape(-1, 64)
    np.testing.assert_allclose(logits, one, atol=1e-5)
    count = sum(int(np.prod(v.shape)) for v in vae.trainable_variables)
    assert count == TABLE.weights[TABLE.row(params)]


def test_a_slice_of_all_units_is_the_whole_network():
    weights, gates, x = initial(jax.random.key(0), nas.whole()), nas.whole(), drawn(5, 64)
    h = x
    for k in range(3):
        h = np.maximum(h @ weights[f"down_{k}"][0], 0)
    codes = quick(lambda weights, gates, x: nas.encode(weights, gates, x, []))(weights, gates, x)
    np.testing.assert_allclose(codes[0], h @ weights["heads"][2, :, 0], rtol=1e-4, atol=1e-5)


def test_a_slice_is_judged_alone():
    """Statistics of a batch, or of the slices before, would make its score one of the others."""
    weights = initial(jax.random.key(5), nas.whole())
    gates, x = nas.stacked(SimpleNamespace(params=DEPTHS)), (drawn(9, 64) > 0) * 1.0
    noise = drawn(9, 16)
    slices, images = quick(nas.slices), quick(nas.negative_elbo)
    scores = np.asarray(slices(weights, gates, x, noise))
    turned = {name: gate[::-1] for name, gate in gates.items()}
    np.testing.assert_allclose(scores, slices(weights, turned, x, noise)[::-1], rtol=1e-5)
    for params, score in zip(DEPTHS, scores, strict=True):
        each = images(weights, nas.gates_of(params), x, noise)
        alone = images(weights, nas.gates_of(params), x[:2], noise[:2])
        np.testing.assert_allclose(each[:2], alone, rtol=1e-5)
        np.testing.assert_allclose(score, each.mean(), rtol=1e-5)


def test_soft_gates_are_means_and_hard_ones_are_an_architecture():
    params = DEPTHS[1]
    zero = {"depth": np.zeros(3), "units": np.zeros((3, 4)), "kinds": np.zeros((3, 2))}
    gates = {k: np.asarray(v) for k, v in nas.soft(zero | {"latents": np.zeros(4)}).items()}
    np.testing.assert_allclose(gates["units"][1, [0, 16, 32, 64]], [1, 0.75, 0.5, 0.25])
    np.testing.assert_allclose(gates["latents"][[1, 2, 4, 8]], [1, 0.75, 0.5, 0.25])
    hard = nas.gates_of(params)
    sizes = {
        name: jnp.array(v) for name, v in (("units", nas.WIDTHS), ("latents", nas.LATENT_DIMS))
    }
    alphas = {name: 50.0 * jnp.array(hard[name]) for name in ("depth", "kinds")}
    alphas["units"] = 50.0 * (hard["units"].sum(axis=1)[:, None] == sizes["units"])
    alphas["latents"] = 50.0 * (hard["latents"].sum() == sizes["latents"])
    assert nas.decided(alphas) == params
    used = params["depth"]
    soft = nas.soft(alphas)
    for name in ("units", "kinds"):
        np.testing.assert_allclose(soft[name][:used], hard[name][:used], atol=1e-6)
    np.testing.assert_allclose(soft["latents"], hard["latents"], atol=1e-6)


def test_adam_is_keras_s():
    ours, variable = {"w": jnp.array([1.0, -2.0])}, keras.Variable([1.0, -2.0])
    optimizer, moments = keras.optimizers.Adam(0.1), nas.at_rest({"w": jnp.zeros(2)})
    for gradient in ([0.3, -1.0], [0.1, 2.0], [-0.2, 0.5]):
        ours, moments = nas.adam(ours, moments, {"w": jnp.array(gradient)}, 0.1)
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    np.testing.assert_allclose(ours["w"], keras.ops.convert_to_numpy(variable), rtol=1e-5)


def test_fresh_weights_are_drawn_as_keras_draws_them():
    params = RELU[1]
    weights, gates = initial(jax.random.key(1), nas.gates_of(params)), nas.gates_of(params)
    vae = build_vae(params, 0)
    widths, latents = layers_of(params)[0], params["latent_dim"]
    first = np.asarray(weights["down_0"][0, :, : widths[0]])
    own = vae.encoder.layers[2].get_weights()[0]
    assert first.shape == own.shape and first.std() == pytest.approx(own.std(), rel=0.1)
    limit = nas.limits(gates)
    assert float(limit["heads"][2].item()) == pytest.approx(np.sqrt(6 / (widths[2] + latents)))
    assert float(limit["up_2"]) == pytest.approx(np.sqrt(6 / (widths[1] + widths[2])))


@pytest.mark.parametrize("params", RELU, ids=("depth 1", "depth 3"))
def test_synflow_of_a_relu_network_is_the_flow_times_its_kernels(params):
    """Without biases R is linear in every kernel, so the sum of |w| dR/d|w| is R for each."""
    gates = nas.gates_of(params)
    weights, widths = initial(jax.random.key(2), gates), layers_of(params)[0]
    depth, latents = params["depth"], params["latent_dim"]
    flow, sizes = np.ones(64), (64, *widths)
    kernels = [weights[f"down_{k}"][0, : sizes[k], : sizes[k + 1]] for k in range(depth)]
    kernels += [weights["heads"][depth - 1, : widths[-1], 0, :latents]]
    kernels += [weights["entrances"][depth - 1, 0, :latents, : widths[-1]]]
    kernels += [
        weights[f"up_{k}"][0, : widths[k], : widths[k - 1]] for k in reversed(range(1, depth))
    ]
    for kernel in [*kernels, weights["logits"][: widths[0]]]:
        flow = flow @ np.abs(np.asarray(kernel, "float64"))
    expected = (len(kernels) + 1) * flow.sum()
    assert float(quick(nas.synflow)(weights, gates)) == pytest.approx(expected, rel=1e-4)


def test_naswot_counts_units_of_the_same_sign():
    params, x = DEPTHS[1], (drawn(6, 64) > 0) * 1.0
    gates = nas.gates_of(params)
    weights = initial(jax.random.key(3), gates)
    widths, names = layers_of(params)
    acts = {"relu": lambda h: np.maximum(h, 0), "tanh": np.tanh}
    h, signs = x, []
    for k in range(2):
        h = h @ np.asarray(weights[f"down_{k}"][0])
        signs.append(h[:, : widths[k]] > 0)
        h = acts[names[k]](h) * (np.arange(128) < widths[k])
    z = (h @ np.asarray(weights["heads"][1, :, 0])) * gates["latents"]
    for k, kernel in ((1, weights["entrances"][1, 0]), (0, weights["up_1"][0])):
        h = (z if k else h) @ np.asarray(kernel)
        signs.append(h[:, : widths[k]] > 0)
        h = acts[names[k]](h) * (np.arange(128) < widths[k])
    signs = np.concatenate(signs, axis=1)
    same = (signs[:, None] == signs[None]).sum(axis=2) + 1e-3 * np.eye(6)
    expected = np.linalg.slogdet(same)[1]
    assert float(quick(nas.naswot)(weights, gates, x)) == pytest.approx(expected, rel=1e-3)


def jacobian_of_depth_1(weights, gates, x):
    """By hand: the slopes of the sum of the logits, their correlations, their eigenvalues."""
    units, (relu, _) = gates["units"][0], gates["kinds"][0]
    act = (lambda a: np.maximum(a, 0)) if relu else np.tanh
    slope = (lambda a: (a > 0) * 1.0) if relu else (lambda a: 1 - np.tanh(a) ** 2)
    down, out = weights["down_0"][0] * units, weights["entrances"][0, 0] * units
    head = weights["heads"][0, :, 0] * gates["latents"]
    before = x @ down
    after = slope(act(before) @ head @ out) * weights["logits"].sum(axis=1)
    slopes = ((after @ out.T @ head.T) * slope(before)) @ down.T
    values = np.linalg.eigvalsh(np.corrcoef(slopes.astype("float64"))).clip(0) + 1e-5
    return -(np.log(values) + 1 / values).sum()


def test_proxies_are_what_they_say():
    gates, x, noise = nas.gates_of(DEPTHS[0]), (drawn(9, 64) > 0) * 1.0, drawn(9, 16)
    key = jax.random.key(4)
    found = {k: float(v) for k, v in quick(nas.proxies)(key, gates, x, noise).items()}
    weights = {name: np.asarray(values) for name, values in initial(key, gates).items()}
    loss, gradient = loss_and_gradient(weights, gates, x, noise)
    gradient = {name: np.asarray(values) for name, values in gradient.items()}

    def moved(step):
        return loss_and_gradient(
            {name: w + step * gradient[name] for name, w in weights.items()}, gates, x, noise
        )

    assert found["loss"] == pytest.approx(-float(loss), rel=1e-5)  # large is good
    for name, score in (("synflow", nas.synflow), ("naswot", nas.naswot)):
        images = () if name == "synflow" else (x,)
        assert found[name] == pytest.approx(float(quick(score)(weights, gates, *images)), rel=1e-4)
    assert found["jacobian"] == pytest.approx(jacobian_of_depth_1(weights, gates, x), rel=0.02)
    slope = float(moved(1e-3)[0] - moved(-1e-3)[0]) / 2e-3
    assert found["gradient"] == pytest.approx(np.sqrt(slope), rel=0.03)  # of this sign
    snip = sum(np.abs(weights[name] * gradient[name]).sum() for name in weights)
    assert found["snip"] == pytest.approx(snip, rel=1e-4)
    ahead, behind = moved(1e-3)[1], moved(-1e-3)[1]
    curved = sum((weights[n] * np.asarray(ahead[n] - behind[n])).sum() for n in weights) / 2e-3
    assert found["grasp"] == pytest.approx(-float(curved), rel=0.1)


def test_the_judge_knows_the_sign_and_the_best():
    last = TABLE.val[:, :, -1].astype("float64")
    right, wrong = nas.quality(-last[:, 0], TABLE), nas.quality(last[:, 0], TABLE)
    assert right["spearman"][0] == right["first"][0] == right["tenth"][0] == right["active"][0] == 1
    assert right["spearman"][1] == pytest.approx(0.9133, abs=1e-3)
    assert wrong["spearman"][0] == -1 and wrong["first"][0] == 0  # a turned sign is found out
    assert nas.quality(TABLE.weights, TABLE)["weights"] == 1
    assert nas.order_of(np.array([1.0, np.nan, 3.0, 1.0])).tolist() == [2, 0, 3, 1]
    order = np.random.default_rng(0).permutation(2336)
    np.testing.assert_array_equal(nas.unpacked(nas.packed(order)), order)


def test_depth_first_draws_every_depth_alike():
    depth = np.array([params["depth"] for params in TABLE.params])
    rows = nas.sampler(TABLE, depth_first=True)(np.random.default_rng(0), 9000)
    assert (abs(np.bincount(depth[rows])[1:] / 9000 - 1 / 3) < 0.03).all()
    rows = nas.sampler(TABLE, depth_first=False)(np.random.default_rng(0), 9000)
    assert abs(np.mean(depth[rows] == 3) - 2048 / 2336) < 0.02


def test_the_same_seed_trains_the_same_super_network(monkeypatch):
    monkeypatch.setattr(nas, "train_epoch", quick(nas.train_epoch))
    monkeypatch.setattr(nas, "slices", quick(nas.slices))
    few = SimpleNamespace(params=DEPTHS)
    first, again = (nas.train_shared(few, "depth first", 5, (1, 2))[2] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (3,) and (first < 64 * np.log(2)).all()  # better than knowing nothing


def test_a_recording_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(data, "DATA_DIR", tmp_path)
    made, scores = [], np.arange(len(TABLE), dtype="float64")

    def proxies(table, seed):
        made.append(("proxies", seed))
        return dict.fromkeys(nas.PROXIES, scores)

    def shared(table, variant, seed, checkpoints):
        made.append((variant, seed))
        if len(made) == 6:
            raise KeyboardInterrupt
        return dict.fromkeys(checkpoints, scores)

    def darts(rate, seed):
        made.append((rate, seed))
        return {"params": DEPTHS[0]}

    monkeypatch.setattr(nas, "run_proxies", proxies)
    monkeypatch.setattr(nas, "train_shared", shared)
    monkeypatch.setattr(nas, "run_darts", darts)
    monkeypatch.setattr(nas, "PROXY_SEEDS", 2)
    monkeypatch.setattr(nas, "RATES", {0.1: 2})
    monkeypatch.setattr(nas, "VARIANTS", {"depth first": ((9, 81), 3)})
    with pytest.raises(KeyboardInterrupt):
        nas.complete(Record("nas", "a test", command="none"), TABLE)
    nas.complete(Record("nas", "a test", command="none"), TABLE)
    assert made.count(("depth first", 0)) == 1 and made.count(("depth first", 1)) == 2
    assert len(made) == 8 and made[:4] == [("proxies", 0), ("proxies", 1), (0.1, 0), (0.1, 1)]
    kept = Record("nas", "a test", command="none").runs
    assert len(kept) == 2 * len(nas.PROXIES) + 2 + 6
    assert {run["variant"] for run in kept if "order" in run} == {*nas.KEPT[:5], "depth first"}
