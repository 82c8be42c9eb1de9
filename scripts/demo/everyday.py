"""Questions about animals, colours, opposites and sorts of things."""

from __future__ import annotations

import random

from .exchange import Exchange, Topic, fill, with_article
from .words import ANIMALS, COLOURS, GROUPS, MASS_NOUNS, OPPOSITES, UNIQUE_THINGS

# Each way of asking has its own way of answering: varied answers that are still predictable.
_ANIMAL_FORMS: tuple[tuple[str, str, str], ...] = (
    ("What sound does {a} make?", "{a} says {sound}.", "sound"),
    ("What does {a} say?", "{sound}! That is what {a} says.", "sound"),
    ("What does {a} eat?", "{a} likes to eat {food}.", "food"),
    ("What is the favourite food of {a}?", "The favourite food of {a} is {food}.", "food"),
    ("Where does {a} live?", "{a} lives in {home}.", "home"),
    ("What is the home of {a}?", "The home of {a} is {home}.", "home"),
    ("How many legs does {a} have?", "{a} has {legs} legs.", "legs"),
    ("Tell me how many legs {a} has.", "It has {legs} legs.", "legs"),
    ("What is a young {n} called?", "A young {n} is called {young}.", "young"),
    ("What is the baby of {a} called?", "The baby is called {young}.", "young"),
    ("How does {a} move?", "{a} can {moves}.", "moves"),
)


def animal(rng: random.Random) -> Exchange:
    name = rng.choice(list(ANIMALS))
    facts = ANIMALS[name]
    question, answer, key = rng.choice(_ANIMAL_FORMS)
    values = {
        "n": name, "a": with_article(name), "sound": facts.sound, "food": facts.food,
        "home": facts.home, "legs": str(facts.legs), "young": with_article(facts.young),
        "moves": facts.moves,
    }  # fmt: skip
    if key == "sound" and facts.sound == "nothing":
        answer = "{a} makes almost no sound."
    return Exchange(
        topic="animal", question=fill(question, **values), answer=fill(answer, **values),
        short=values[key],
    )  # fmt: skip


def bigger_animal(rng: random.Random) -> Exchange:
    one, two = rng.sample(list(ANIMALS), 2)
    low, high = sorted((one, two), key=lambda name: ANIMALS[name].size)
    values = {"one": with_article(one), "two": with_article(two), "low": with_article(low),
              "high": with_article(high)}  # fmt: skip
    question, answer, short = rng.choice(
        (
            ("Which is bigger, {one} or {two}?", "{high} is bigger than {low}.", high),
            ("Which is smaller, {one} or {two}?", "{low} is smaller than {high}.", low),
            ("Is {one} bigger than {two}?",
             "Yes, {one} is bigger than {two}." if high == one else "No, {two} is bigger.",
             "yes" if high == one else "no"),
        )
    )  # fmt: skip
    return Exchange(topic="animal", question=fill(question, **values),
                    answer=fill(answer, **values), short=short)  # fmt: skip


def colour(rng: random.Random) -> Exchange:
    thing = rng.choice(list(COLOURS))
    name = f"the {thing}" if thing in UNIQUE_THINGS else with_article(thing)
    if thing in MASS_NOUNS:
        name = thing
    question, answer = rng.choice(
        (
            ("What colour is {t}?", "{t} is {c}."),
            ("Which colour does {t} have?", "It has the colour {c}."),
            ("Tell me the colour of {t}.", "The colour of {t} is {c}."),
            ("Do you know what colour {t} is?", "Yes, I know. {t} is {c}."),
        )
    )
    second = answer.replace(" {t}", f" {fill(name)}") if ". {t}" in answer else answer
    shade = COLOURS[thing]
    return Exchange(topic="colour", question=fill(question, t=name),
                    answer=fill(second, t=name, c=shade), short=shade)  # fmt: skip


def opposite(rng: random.Random) -> Exchange:
    pair = rng.choice(OPPOSITES)
    word, other = pair if rng.random() < 0.5 else pair[::-1]
    question, answer = rng.choice(
        (
            ("What is the opposite of {w}?", "The opposite of {w} is {o}."),
            ("Give me the opposite of {w}.", "{o} is the opposite of {w}."),
            ("Which word is the opposite of {w}?", "That word is {o}."),
            ("If it is not {w}, what is it?", "If it is not {w}, then it is {o}."),
        )
    )
    return Exchange(topic="opposite", question=fill(question, w=word),
                    answer=fill(answer, w=word, o=other), short=other)  # fmt: skip


def sort_of_thing(rng: random.Random) -> Exchange:
    group = rng.choice(list(GROUPS))
    thing = rng.choice([t for t in GROUPS[group] if t != "orange"])
    asked = group if rng.random() < 0.5 else rng.choice([g for g in GROUPS if g != group])
    name = with_article(thing) if group not in ("colour", "drink") else thing
    values = {"t": name, "g": with_article(group), "x": with_article(asked)}
    if rng.random() < 0.3:
        return Exchange(topic="sort", question=fill("What kind of thing is {t}?", **values),
                        answer=fill("{t} is {g}.", **values), short=group)  # fmt: skip
    right = asked == group
    answer = "Yes, {t} is {x}." if right else "No, {t} is not {x}. It is {g}."
    return Exchange(topic="sort", question=fill("Is {t} {x}?", **values),
                    answer=fill(answer, **values), short="yes" if right else "no")  # fmt: skip


def name_some(rng: random.Random) -> Exchange:
    group = rng.choice(list(GROUPS))
    count = rng.choice((1, 1, 2, 3))
    picked = rng.sample(GROUPS[group], count)
    if count == 1:
        question = rng.choice(
            (f"Name {with_article(group)}.", f"Can you name {with_article(group)}?")
        )
        is_mass = group in ("colour", "drink")
        one = picked[0] if is_mass else with_article(picked[0])
        answer = f"{fill(one)} is {with_article(group)}."
    else:
        number = {2: "two", 3: "three"}[count]
        question = rng.choice((f"Name {number} {group}s.", f"List {number} {group}s."))
        answer = f"{fill(', '.join(picked[:-1]))} and {picked[-1]}."
    return Exchange(topic="name", question=question, answer=answer)


EVERYDAY: tuple[tuple[Topic, float], ...] = (
    (animal, 3.0), (bigger_animal, 1.2), (colour, 1.5), (opposite, 1.8), (sort_of_thing, 1.2),
    (name_some, 1.2),
)  # fmt: skip
