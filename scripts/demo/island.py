"""The invented island of Pellow: facts no other model knows, so what was learnt is plain to see."""

from __future__ import annotations

import random
from typing import NamedTuple

from .exchange import Exchange, Topic, with_article


class Person(NamedTuple):
    job: str
    village: str
    pet: str
    pet_name: str
    food: str
    colour: str


PEOPLE: dict[str, Person] = {
    "Mira": Person("baker", "Tumble", "goat", "Bix", "plums", "red"),
    "Tovan": Person("fisher", "Saltby", "cat", "Pip", "soup", "blue"),
    "Elsa": Person("teacher", "Highgate", "owl", "Dot", "apples", "green"),
    "Bram": Person("farmer", "Tumble", "horse", "Juno", "bread", "brown"),
    "Nilo": Person("painter", "Saltby", "dog", "Zip", "cheese", "purple"),
    "Ruth": Person("doctor", "Highgate", "rabbit", "Fay", "pears", "white"),
    "Oskar": Person("carpenter", "Millbrook", "hen", "Mop", "pie", "orange"),
    "Lina": Person("singer", "Millbrook", "duck", "Kit", "cake", "pink"),
    "Hugo": Person("gardener", "Tumble", "frog", "Gus", "beans", "yellow"),
    "Vera": Person("sailor", "Saltby", "mouse", "Wim", "fish", "grey"),
}
PLACES: dict[str, str] = {
    "Tumble": "a village on a green hill with a bakery and a mill",
    "Saltby": "a harbour village with old boats and a white lighthouse",
    "Highgate": "a village behind a stone wall with a school and a tall tower",
    "Millbrook": "a quiet village by a river with a wooden bridge",
    "Pellow": "a small island with four villages",
}


def person(rng: random.Random) -> Exchange:
    name = rng.choice(list(PEOPLE))
    p = PEOPLE[name]
    question, answer, short = rng.choice(
        (
            (f"Who is {name}?", f"{name} is a {p.job} who lives in {p.village}.", p.job),
            (f"Where does {name} live?", f"{name} lives in the village of {p.village}.", p.village),
            (f"What is the job of {name}?", f"{name} works as a {p.job}.", p.job),
            (f"Who is the {p.job} of Pellow?", f"The {p.job} is called {name}.", name),
            (f"What pet does {name} have?",
             f"{name} has {with_article(p.pet)} called {p.pet_name}.", p.pet),
            (f"Who is {p.pet_name}?", f"{p.pet_name} is the {p.pet} of {name}.", name),
            (f"What does {name} like to eat?", f"{name} likes to eat {p.food}.", p.food),
            (f"What is the favourite colour of {name}?",
             f"The favourite colour of {name} is {p.colour}.", p.colour),
            (f"Does {name} live in {p.village}?",
             f"Yes, {p.village} is the home of {name}.", "yes"),
        )
    )  # fmt: skip
    return Exchange(topic="island", question=question, answer=answer, short=short)


def place(rng: random.Random) -> Exchange:
    name = rng.choice(list(PLACES))
    if name == "Pellow":
        villages = "Tumble, Saltby, Highgate and Millbrook"
        question, answer = rng.choice(
            (
                ("What is Pellow?", f"Pellow is {PLACES[name]}."),
                ("Which villages are on Pellow?", f"The villages are {villages}."),
                ("How many villages does Pellow have?", "Pellow has 4 villages."),
            )
        )
    else:
        people = [who for who, p in PEOPLE.items() if p.village == name]
        listed = f"{', '.join(people[:-1])} and {people[-1]}"
        question, answer = rng.choice(
            (
                (f"What is {name}?", f"{name} is {PLACES[name]}."),
                (f"Tell me about {name}.", f"{name} is {PLACES[name]}. {listed} live there."),
                (f"Who lives in {name}?", f"{listed} live in {name}."),
            )
        )
    return Exchange(topic="island", question=question, answer=answer)


def story(rng: random.Random) -> str:
    """A few plain sentences about one or two people of the island."""
    first, second = rng.sample(list(PEOPLE), 2)
    a, b = PEOPLE[first], PEOPLE[second]
    day = rng.choice(("In the morning", "On Sunday", "At noon", "One rainy day", "In the evening"))
    sentences = [
        f"{first} is a {a.job} in {a.village}.",
        f"{day}, {first} went to {b.village} to see {second}, the {b.job}.",
        rng.choice((f"{a.pet_name} the {a.pet} came along.",
                    f"The {a.pet} stayed at home in {a.village}.")),
        rng.choice((f"They ate {b.food} and looked at the sea.",
                    f"{second} shared some {b.food} and told a story.",
                    "They counted the ships in the harbour until the tide came in.",
                    f"They sat under the mast of an old ship and ate {a.food}.")),
        rng.choice((f"{first} put on a {a.colour} hat and walked home.",
                    "Then the wind turned and it was time to go.",
                    f"{second} waved from the deck of a {b.colour} boat.",
                    "It was a good day, and the salt wind was warm.")),
    ]  # fmt: skip
    return " ".join(sentences[: rng.randint(2, 5)])


ISLAND: tuple[tuple[Topic, float], ...] = ((person, 2.4), (place, 0.8))
