"""Train VAEs of architectures, and search the architecture table through their latent spaces.

    python data/recipes/record_latent_search.py

**VAEs**: twenty seeds, which also draw the half of the architectures that each is trained with; no
score is ever shown to them. The VAE is the unit: whatever is said of the recipe rests on twenty.
Its settings were chosen on seed 0, which is not among them. With beta = 0.3 and, for the first ten
seeds, beta = 1: reconstruction of both halves, and validity, uniqueness and novelty of 2,000
decoded draws from the prior (`sampled`: each token drawn; `likeliest`: the likeliest one). The same
for two baselines.

**Rank correlations**: Spearman's between the scores that a Gaussian process predicts, trained on 50
architectures, and the scores of all others; four splits for each VAE, the same for every code.

**Searches**: three runs for each VAE, 60 queries each, no query repeated. All strategies of a run
begin with the same five networks, decoded from the prior. What is decoded: 500 codes at every step,
400 from the prior and 100 near the codes of the five best; what is invalid, known or a repetition
is counted and dropped. Of the rest, "latent", "one-hot" and "ordered" take the highest expected
improvement of a Gaussian process, which sees the encoder's means, one-hot tokens, or
`Space.encode`. "prior" decodes draw after draw, without any model. "priority" is "ordered" with the
whole table as its candidates; "greedy", "random" and "random, depth first" (which draws the depth
first) know no VAE but the start. A query returns the mean over the table's two seeds of -ELBO after
81 epochs on the validation images. No search sees the test images.

Written to data/results/latent_search.json, piece by piece; a recording that was stopped goes on
where it was.
"""

from collections.abc import Callable
from functools import cache, partial

from helpers.runtime import keras
from helpers.search import Space, strategies
from helpers.table import ArchitectureTable, param_space
from helpers.table import strings as av
from helpers.vae import text
import numpy as np
from recording import Record
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

VAES, RUNS, QUERIES, DRAWS, INITIAL = range(1, 21), 3, 60, 2000, 5
LOW, WITH_BETA_1 = 0.3, range(1, 11)  # the beta of the searches; the seeds that have the other, too
SPLITS, SCORED = 4, 50  # of each VAE; architectures whose scores the surrogate knows
FAR, NEAR, BEST, STEP = 400, 100, 5, 0.5  # codes from the prior and near the best, at every step
TABLE, SPACE = ArchitectureTable.load(), Space(param_space())
STRINGS, SCORES = av.to_strings(TABLE.params), -TABLE.means()
ROWS = {tuple(string): row for row, string in enumerate(STRINGS.tolist())}
POINTS = {TABLE.row(SPACE.params(point)): point for point in SPACE.points()}
ROW_OF_POINT = {point: row for row, point in POINTS.items()}
ORDERED = SPACE.encode([POINTS[row] for row in range(len(TABLE))])


def train(strings: np.ndarray, seed: int, beta: float, epochs: int = 60) -> text.TextVAE:
    """A new VAE of eight latents, trained, whose places are independent given z.

    What ties the places together, such as the depth, has to go through the code; an autoregressive
    decoder could read it off the earlier places instead (chapter 32).

    Args:
        strings: of the training part, shape (n, 4).
        seed: of the weights, the order and the noise.
        beta: the weight of the KL term. With 1, a code of the depth alone is as good as any
            (chapter 64 shows why); below, one that tells all architectures apart is better.
        epochs: of training, with batches of 64.
    """
    keras.utils.set_random_seed(seed)
    sizes = {"width": av.WIDTH, "symbols": av.SYMBOLS, "hidden": 128, "latent_dim": 8}
    networks = text.text_encoder(**sizes), text.text_decoder(context=0, **sizes)
    vae = text.TextVAE(*networks, beta, seed=seed)
    rate = keras.optimizers.schedules.CosineDecay(5e-3, epochs * -(-len(strings) // 64))
    vae.compile(keras.optimizers.Adam(rate))
    vae.fit(strings, batch_size=64, epochs=epochs, verbose=0)
    return vae


def quality(vae, training, held_out, seed: int) -> dict:
    """What a VAE is worth as a generator: reconstruction, validity, uniqueness, novelty."""
    z = np.random.default_rng((seed, 1)).standard_normal((DRAWS, vae.latent_dim))
    final = {name: values[-1] for name, values in vae.history.history.items()}
    return {
        "final": final,
        "exact_training": text.exact_share(vae, training),
        "exact_held_out": text.exact_share(vae, held_out),
        "tokens_held_out": float((vae.reconstruct(held_out) == held_out).mean()),
        "sampled": av.worth(vae.sample(DRAWS, seed), training),
        "likeliest": av.worth(av.decode(vae, z), training),
    }


def baselines(training, seed: int) -> dict:
    """Two generators that learned nothing: random tokens, and random valid architectures."""
    rng = np.random.default_rng((seed, 2))
    tokens = rng.integers(av.SYMBOLS, size=(DRAWS, av.WIDTH))
    tokens = np.where((tokens == 0).cumsum(axis=1) > 0, 0, tokens)
    uniform = STRINGS[rng.integers(len(STRINGS), size=DRAWS)]
    return {"tokens": av.worth(tokens, training), "uniform": av.worth(uniform, training)}


def rank_correlation(codes: np.ndarray, seed: int) -> float:
    """Between predicted and true scores of the architectures that the surrogate has not seen."""
    order = np.random.default_rng((seed, 3)).permutation(len(codes))
    known, unknown = order[:SCORED], order[SCORED:]
    surrogate = strategies.fit_surrogate(codes[known], strategies.warp(SCORES[known]))
    return float(spearmanr(surrogate.predict(codes[unknown]), SCORES[unknown]).statistic)


def rows_of(strings: np.ndarray) -> list[int | None]:
    return [ROWS.get(tuple(string)) for string in strings.tolist()]


def search(vae, codes: np.ndarray | None, places: np.ndarray, rng) -> dict:
    """The rows that a search asked for, in order, and what became of the codes it decoded.

    Args:
        codes: what the surrogate sees of each row; None, if there is no surrogate.
        places: the encoder's mean of each row.
    """
    asked: list[int] = []
    counts = {"decoded": 0, "invalid": 0, "known": 0, "repeated": 0}
    while len(asked) < QUERIES:
        z = rng.normal(size=(FAR, vae.latent_dim))
        if codes is not None and len(asked) >= INITIAL:
            best = sorted(asked, key=lambda row: -SCORES[row])[:BEST]
            centres = places[rng.choice(best, NEAR)]
            z = np.vstack([z, centres + STEP * rng.normal(size=centres.shape)])
        found = rows_of(av.decode(vae, z))
        valid = [row for row in found if row is not None]
        new = list(dict.fromkeys(row for row in valid if row not in asked))
        counts["decoded"] += len(z)
        counts["invalid"] += len(z) - len(valid)
        counts["known"] += sum(row in asked for row in valid)
        counts["repeated"] += sum(row not in asked for row in valid) - len(new)
        if codes is None or len(asked) < INITIAL:
            asked += new[: (QUERIES if codes is None else INITIAL) - len(asked)]
        elif new:
            values = strategies.warp(SCORES[asked])
            surrogate = strategies.fit_surrogate(codes[asked], values)
            mean, std = surrogate.predict(codes[new], return_std=True)
            gain = strategies.expected_improvement(mean, std, values.max())
            asked.append(new[int(gain.argmax())])
    return {"rows": asked} | counts


@cache
def trained(seed: int, beta: float):
    return train(av.split(STRINGS, seed)[0], seed, beta)


@cache
def places(seed: int, beta: float) -> np.ndarray:
    return av.means(trained(seed, beta), STRINGS)


CODES = {  # what the surrogate sees of an architecture
    "ordered": lambda seed: ORDERED,
    "one-hot": lambda seed: av.one_hot(STRINGS),
    "latent": lambda seed: places(seed, LOW),
    "latent, beta 1": lambda seed: places(seed, 1.0),
}
DECODED = ("latent", "one-hot", "ordered", "prior")


RIVALS: dict[str, Callable] = {
    "random": strategies.at_random,
    "random, depth first": strategies.subspace_first,
    "greedy": strategies.greedy,
    "priority": partial(strategies.priority, pool_size=SPACE.size),
}


def quality_of_vae(seed: int, beta: float) -> dict:
    return quality(trained(seed, beta), *av.split(STRINGS, seed), seed)


def quality_of_baseline(seed: int, baseline: str) -> dict:
    return baselines(av.split(STRINGS, seed)[0], seed)[baseline]


def correlations(seed: int, codes: str) -> dict:
    splits = range(SPLITS * seed, SPLITS * (seed + 1))
    return {"correlations": [rank_correlation(CODES[codes](seed), n) for n in splits]}


def one_search(seed: int, strategy: str, run: int) -> dict:
    """Rows in the order asked for. Every strategy of a run begins with the same five."""
    number = RUNS * seed + run
    vae, rng = trained(seed, LOW), np.random.default_rng((number, 4))
    if strategy in DECODED:
        codes = None if strategy == "prior" else CODES[strategy](seed)
        return search(vae, codes, places(seed, LOW), rng)
    initial = [POINTS[row] for row in first_rows(vae, rng)]
    rival = RIVALS[strategy](SPACE, np.random.RandomState(number), initial=initial)
    rows, _ = strategies.run(rival, lambda point: SCORES[ROW_OF_POINT[point]], QUERIES)
    return {"rows": [ROW_OF_POINT[point] for point in rows]}


def first_rows(vae, rng) -> list[int]:
    """The first different networks that are decoded from the prior, as `search` finds them."""
    found = rows_of(av.decode(vae, rng.normal(size=(FAR, vae.latent_dim))))
    return list(dict.fromkeys(row for row in found if row is not None))[:INITIAL]


def main() -> None:
    record = Record(
        "latent_search",
        "on the table of architectures, for each VAE of architectures: what it and two baselines "
        f"are worth as generators, with {DRAWS} draws; rank correlations of a surrogate that knows "
        f"{SCORED} scores, on {SPLITS} splits; and searches, rows of the table in the order asked "
        "for, all strategies of a run with the same start",
        command="python data/recipes/record_latent_search.py",
        packages=["scikit-learn", "scipy"],
        table=TABLE.about["date"],
        runs_per_vae=RUNS,
        queries=QUERIES,
    )
    plan = [{"seed": s, "beta": LOW} for s in VAES]
    plan += [{"seed": s, "beta": 1.0} for s in WITH_BETA_1]
    record.complete(plan, quality_of_vae)
    plan = [{"seed": s, "baseline": name} for s in VAES for name in ("tokens", "uniform")]
    record.complete(plan, quality_of_baseline)
    with threadpool_limits(1):
        plan = [
            {"seed": seed, "codes": codes}
            for codes in CODES
            for seed in (WITH_BETA_1 if codes == "latent, beta 1" else VAES)
        ]
        record.complete(plan, correlations)
        plan = [
            {"seed": seed, "strategy": name, "run": run}
            for seed in VAES
            for name in (*DECODED, *RIVALS)
            for run in range(RUNS)
        ]
        record.complete(plan, one_search)


if __name__ == "__main__":
    main()
