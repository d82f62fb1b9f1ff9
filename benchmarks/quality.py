"""Quality: how well reviews are read, how soon a change is found and what caused it, and how fast all of it is.

    python benchmarks/quality.py                       all that needs no other data
    python benchmarks/quality.py --data ../shared/data  with MAMS and ASAP too
    python benchmarks/quality.py --only drops          one part alone

Peers in the same run: our lexicon, VADER (English), SnowNLP (Chinese), and a reading of whole sentences in the place of clauses.
"""

import argparse
import csv
import datetime as dt
import json
import time
import warnings
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

import regulars as rg
from regulars.quality import (
    MEASURES,
    LexiconReader,
    SentenceEncoder,
    Stream,
    TrainedReader,
    open_reader,
    score_cards,
    servings,
    split,
)
from regulars.quality.aspects import GROUP_PLACE
from regulars.quality.cards import coded_reviews
from regulars.quality.control_charts import of_servings, watch
from regulars.quality.cusum import share_threshold
from regulars.quality.encoders import encoded
from regulars.quality.grades import grade_clauses, grade_clues
from regulars.quality.labels import CATEGORIES, Judged, mams, own_clauses
from regulars.quality.servings import Coded
from regulars.quality.training import train

SEEDS, DROP, HORIZON = 200, 0.05, 60
ASAP_GROUPS = {"food": "dish_", "service": "service_", "price": "price_", "ambience": "environment_"}

_ORDERS = """create table orders as select 'O' || i order_id, 'G' || (hash(i) % 80000) guest_id, 'S' || (hash(i * 7) % 50) store_id,
    date '2025-11-01' + (i * 365 // {orders})::int business_date, (10 + hash(i * 3) % 13)::bigint "hour" from range({orders}) t(i)"""
_ITEMS = """create table order_items as select order_id, l line, 'D' || (hash(order_id || l) % 120) item_id, 900::bigint amount_minor
    from orders, range(1, 3) u(l)"""


class Remembering:
    """An encoder that encodes each text once, as the lake does."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self.name, self.width, self._encoder, self._known = encoder.name, encoder.width, encoder, {}

    def encode(self, texts: Any) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._encoder.encode(new), strict=True))
        return np.array([self._known[text] for text in texts]).reshape(len(texts), self.width)


def of_own_clauses(encoder: Remembering) -> dict[str, float]:
    """Held-out clauses by language: trained heads, lexicon, VADER and SnowNLP."""
    figures = {}
    readers = {
        "trained": open_reader(encoder),
        "lexicon": LexiconReader(),
        "english_labels_only": TrainedReader(encoder, train(encoder, languages=("en",))),
    }
    for name, reader in readers.items():
        for grade in grade_clauses(reader):
            figures |= {
                f"{name}_{grade.language}_{key}": value
                for key, value in grade._asdict().items()
                if key not in ("language", "clauses")
            }
        clues = grade_clues(reader)
        figures |= {f"{name}_clue_recall": clues.recall, f"{name}_clue_precision": clues.precision}
    return figures | _peers()


def _peers() -> dict[str, float]:
    from snownlp import SnowNLP
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    own, vader = own_clauses(), SentimentIntensityAnalyzer()
    held = ~own.is_train
    english, chinese = (np.flatnonzero(held & (own.language == language)) for language in ("en", "zh"))
    scores = np.array([vader.polarity_scores(own.text[int(row)].as_py())["compound"] for row in english])
    by_vader = np.where(scores >= 0.05, 1, np.where(scores <= -0.05, -1, 0))
    snow = np.array([SnowNLP(own.text[int(row)].as_py()).sentiments for row in chinese])
    by_snow = np.where(snow >= 0.6, 1, np.where(snow <= 0.4, -1, 0))
    return {
        "vader_en_polarity": float((by_vader == own.polarity[english]).mean()),
        "vader_en_negated": float((by_vader == own.polarity[english])[own.is_negated[english]].mean()),
        "snownlp_zh_polarity": float((by_snow == own.polarity[chinese]).mean()),
        "snownlp_zh_negated": float((by_snow == own.polarity[chinese])[own.is_negated[chinese]].mean()),
    }


class Sentences:
    """Sentences of MAMS as features: of the whole, and of its clauses. Words and pairs of words beside the encoder's vectors."""

    def __init__(self, judged: Judged, encoder: Remembering, words: TfidfVectorizer) -> None:
        self.judged, texts = judged, judged.text.to_pylist()
        clauses = split(judged.text)
        self.review = clauses.review
        self.whole = hstack([words.transform(texts), csr_array(encoded(encoder, texts))]).tocsr()
        pieces = clauses.text.to_pylist()
        self.pieces = hstack([words.transform(pieces), csr_array(encoded(encoder, pieces))]).tocsr()
        self.truth = np.zeros((len(texts), len(CATEGORIES)), dtype=bool)
        self.truth[judged.sentence, judged.category] = True

    def of_category(self, score: np.ndarray) -> Any:
        """Each judgement's clauses, by how much they are about its category, then its sentence. score: (clauses, categories)."""
        weight = np.exp(score[:, self.judged.category])
        weight *= self.review[:, None] == self.judged.sentence
        weight /= np.maximum(weight.sum(axis=0), 1e-12)
        return hstack([csr_array(weight.T) @ self.pieces, 0.5 * self.whole[self.judged.sentence]]).tocsr()


def of_mams(encoder: Remembering, folder: Path) -> dict[str, float]:
    """Trained on its training part, the cut chosen on its validation part, graded on its test part."""
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    words.fit(mams(folder, "train").text.to_pylist())
    learn, choose, test = (Sentences(mams(folder, part), encoder, words) for part in ("train", "val", "test"))
    heads = [
        LogisticRegression(C=20, max_iter=400, tol=1e-3).fit(learn.whole, learn.truth[:, place])
        for place in range(len(CATEGORIES))
    ]
    chance = {
        id(part): np.column_stack([head.predict_proba(part.whole)[:, 1] for head in heads]) for part in (choose, test)
    }
    cut = max(np.arange(0.2, 0.6, 0.05), key=lambda c: f1_score(choose.truth, chance[id(choose)] > c, average="micro"))
    score = {
        id(part): np.column_stack([head.decision_function(part.pieces) for head in heads]) for part in (learn, test)
    }
    by_clause, by_sentence = _polarity(learn, test, score), _polarity(learn, test, None)
    plain = LogisticRegression(C=3, max_iter=300, tol=1e-3).fit(
        learn.whole[learn.judged.sentence], learn.judged.polarity
    )
    return {
        "mams_aspect_micro_f1": float(f1_score(test.truth, chance[id(test)] > cut, average="micro")),
        "mams_polarity": by_clause, "mams_polarity_whole_sentence_by_aspect": by_sentence,
        "mams_polarity_whole_sentence": float((plain.predict(test.whole[test.judged.sentence]) == test.judged.polarity).mean()),
        "mams_polarity_vader": _vader(test.judged),
    }  # fmt: skip


def _polarity(learn: Sentences, test: Sentences, score: dict[int, np.ndarray] | None) -> float:
    """Share right given the category, one head for each; without scores, of the whole sentence."""
    seen, asked = (
        part.whole[part.judged.sentence] if score is None else part.of_category(score[id(part)])
        for part in (learn, test)
    )
    right = 0
    for place in range(len(CATEGORIES)):
        here, there = learn.judged.category == place, test.judged.category == place
        head = LogisticRegression(C=3, max_iter=300, tol=1e-3).fit(seen[here], learn.judged.polarity[here])
        right += (head.predict(asked[there]) == test.judged.polarity[there]).sum()
    return float(right / len(test.judged.polarity))


def _vader(judged: Judged) -> float:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    vader = SentimentIntensityAnalyzer()
    scores = np.array([vader.polarity_scores(text)["compound"] for text in judged.text.to_pylist()])
    found = np.where(scores >= 0.05, 1, np.where(scores <= -0.05, -1, 0))
    return float((found[judged.sentence] == judged.polarity).mean())


def of_asap(encoder: Remembering, folder: Path) -> dict[str, float]:
    """The sign of each group in 300 Chinese reviews, where the labels have one; what we do not mention counts as wrong in `all`."""
    rows = [
        row for path in sorted(folder.glob("*_sample.csv")) for row in csv.DictReader(path.open(encoding="utf-8-sig"))
    ]
    clauses = split(pa.array([row["reviewbody"] for row in rows]))
    figures = {}
    for name, reader in {"asap": open_reader(encoder), "asap_lexicon": LexiconReader()}.items():
        found = reader.read(clauses.text)
        total, told, right = 0, 0, 0
        for place, (group, prefix) in enumerate(ASAP_GROUPS.items()):
            labels = np.array(
                [sum(int(v) for k, v in row.items() if k.startswith(prefix) and v in ("-1", "1")) for row in rows]
            )
            about = found.aspects[:, np.array(GROUP_PLACE) == place].any(axis=1) & found.is_told
            ours = np.sign(np.bincount(clauses.review[about], weights=found.polarity[about], minlength=len(rows)))
            here = (labels != 0) & (ours != 0)
            figures[f"{name}_{group}"] = float((ours == np.sign(labels))[here].mean())
            total, told, right = (
                total + (labels != 0).sum(),
                told + here.sum(),
                right + (ours == np.sign(labels))[here].sum(),
            )
        figures |= {
            f"{name}_sign": float(right / told),
            f"{name}_told": float(told / total),
            f"{name}_all": float(right / total),
        }
    return figures


def with_drop(base: Stream, seed: int, kinds: tuple[str, ...]) -> tuple[Stream, int, str, str]:
    """A dish of the town with outcomes of its own rate, and a planted cause after which it falls by `DROP` as a whole.

    Each seed draws the outcomes anew for the town's real servings, so that stores, shifts and days are those of the town.
    """
    draw = np.random.default_rng(seed)
    n, store = len(base), base.factors["store"]
    since = int(n * draw.uniform(0.6, 0.7))
    after = np.arange(n) >= since
    batch = (base.day - base.day[0]) // 30
    cook = store.code * 3 + draw.integers(0, 3, n)
    price = np.ones(n, dtype=np.int64)
    kind = kinds[seed % len(kinds)]
    if kind == "batch":
        batch = np.where(after & (draw.random(n) < 0.5), batch.max() + 1, batch)
        is_bad, level = after & (batch == batch.max()), f"B{batch.max()}"
    elif kind == "price":
        price[after] = 2
        is_bad, level = after, "higher price"
    else:
        codes = {"store": store.code, "shift": base.factors["shift"].code, "cook": cook}[kind]
        common = [c for c in np.unique(codes) if (codes[after] == c).mean() > 0.15]
        chosen = int(draw.choice(common)) if common else int(np.bincount(codes[after]).argmax())
        is_bad = after & (codes == chosen)
        level = (
            f"C{chosen}"
            if kind == "cook"
            else str({"store": store, "shift": base.factors["shift"]}[kind].names[chosen])
        )
    usual = 0.45 + 0.02 * np.sin(store.code)
    share = np.clip(usual - is_bad * DROP / is_bad[after].mean(), 0.0, 1.0)
    factors = base.factors | {
        "cook": Coded(np.array([f"C{i}" for i in range(cook.max() + 1)], dtype=object), cook),
        "batch": Coded(np.array([f"B{i}" for i in range(batch.max() + 1)], dtype=object), batch),
        "price": Coded(np.array(["lower price", "same price", "higher price"], dtype=object), price),
    }
    value = (draw.random(n) < share).astype(float)
    return Stream(measure=MEASURES["reorder_rate"], value=value, day=base.day, factors=factors), since, kind, level


def of_planted_drops() -> dict[str, float]:
    """Servings of the town's dish that is served most; 200 seeds; one false alarm a year for the dish."""
    town = rg.rehearsal.town(guests=12_000, stores=5, history_days=728, pace=3.0)
    at = town.orders["ordered_at"].cast(pa.timestamp("us"))
    orders = town.orders.append_column("business_date", at.cast(pa.date32())).append_column("hour", pa.compute.hour(at))
    whole = servings(orders, town.order_items, horizon_days=HORIZON)
    dish = int(np.bincount(whole.item.code).argmax())
    base = of_servings(whole.only(np.flatnonzero(whole.item.code == dish)), "refunds_and_voids")
    delays, theory, first, second, early, missed = [], [], 0, 0, 0, 0
    until = dt.date.fromordinal(int(base.day[int(len(base) * 0.5)]))
    yearly = len(base) / ((base.day[-1] - base.day[0] + 1) / 365.25)
    for seed in range(SEEDS):
        stream, since, kind, level = with_drop(base, seed, ("store", "shift", "batch", "cook", "price"))
        watched = stream.day > until.toordinal()
        changes = watch(stream, baseline_until=until, levels=(("item",),)).changes
        alarm = int(np.flatnonzero(watched)[0]) + changes[0].observations - 1 if changes else len(stream)
        missed, early = missed + (not changes), early + (alarm < since)
        if since <= alarm < len(stream):
            delays.append(alarm - since + 1)
            before = round(float(stream.value[~watched].mean()) * 200) / 200
            theory.append(share_threshold(before, before - DROP, float(f"{yearly:.2g}")).delay)
            found = [(cause.factor, cause.level) for cause in changes[0].causes[:2]]
            first, second = first + (found[0] == (kind, level)), second + ((kind, level) in found)
    return {
        "servings": len(base), "servings_a_year": yearly, "found": len(delays), "missed": missed, "false_alarms_before": early,
        "delay": float(np.mean(delays)), "theoretical_delay": float(np.mean(theory)),
        "delay_ratio": float(np.mean(delays) / np.mean(theory)), "cause_first": first / len(delays), "cause_in_two": second / len(delays),
    }  # fmt: skip


def of_speed(encoder: SentenceEncoder) -> dict[str, float]:
    """Clauses a second, and score cards of a million orders and a hundred thousand reviews."""
    texts = own_clauses().text.to_pylist()
    start = time.perf_counter()
    encoder.encode(texts)
    encoding = len(texts) / (time.perf_counter() - start)
    many = pa.array(texts * 40)
    start = time.perf_counter()
    LexiconReader().read(many)
    reading = len(many) / (time.perf_counter() - start)
    orders, reviews = 1_000_000, 100_000
    connection = duckdb.connect()
    connection.sql(_ORDERS.format(orders=orders))
    connection.sql(_ITEMS)
    said, clauses = _made_up(reviews, orders)
    start, worked = time.perf_counter(), time.process_time()
    served = servings(connection.table("orders"), connection.table("order_items"))
    coded = coded_reviews(served, said, clauses)
    card = score_cards(served, coded)
    seconds, processor = time.perf_counter() - start, time.process_time() - worked
    return {
        "encoder_clauses_a_second": encoding, "lexicon_clauses_a_second": reading, "cards_seconds": seconds,
        "cards_processor_seconds": processor, "cards_rows": len(card),
    }  # fmt: skip


def _made_up(reviews: int, orders: int) -> tuple[pa.Table, pa.Table]:
    draw = np.random.default_rng(0)
    day = np.datetime64("2025-11-02", "us") + draw.integers(0, 364, reviews) * np.timedelta64(1, "D")
    ids = pa.array([f"R{i}" for i in range(reviews)])
    said = pa.table({
        "review_id": ids, "store_id": [f"S{i}" for i in draw.integers(0, 50, reviews)],
        "order_id": [f"O{i}" for i in draw.integers(0, orders, reviews)],
        "reviewed_at": pa.array(day).cast(pa.timestamp("us", "UTC")), "rating": draw.integers(1, 6, reviews).astype(float),
    })  # fmt: skip
    clauses = 3 * reviews
    told = pa.table({
        "review_id": ids.take(pa.array(np.arange(clauses) // 3)), "item_id": [f"D{i}" for i in draw.integers(0, 120, clauses)],
        "aspects": 1 << draw.integers(0, 18, clauses), "polarity": draw.integers(-1, 2, clauses), "is_told": np.ones(clauses, dtype=bool),
    })  # fmt: skip
    return said, told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder that holds mams/ and asap/")
    parser.add_argument("--only", choices=("speed", "clauses", "mams", "asap", "drops"), help="one part alone")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    plain = SentenceEncoder()
    encoder = Remembering(plain)
    parts = {"speed": lambda: of_speed(plain), "clauses": lambda: of_own_clauses(encoder), "drops": of_planted_drops}
    if given.data is not None:
        parts |= {
            "mams": lambda: of_mams(encoder, given.data / "mams"),
            "asap": lambda: of_asap(encoder, given.data / "asap"),
        }
    figures: dict[str, float] = {}
    for name, part in parts.items():
        figures |= part() if given.only in (None, name) else {}
    for name, figure in figures.items():
        print(f"{name:44}{figure:>14,.3f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
