"""Greetings, questions about the model itself, and honest answers to what it cannot know."""

from __future__ import annotations

import random

from .exchange import Exchange, Topic

NAMES = ("Tom", "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Ivan", "Jana",
         "Karl", "Maya", "Noah", "Olga", "Paul", "Rosa", "Sam", "Tina", "Yara", "Zoe")  # fmt: skip

_TALK: tuple[tuple[str, str], ...] = (
    ("Hello!", "Hello! How can I help you?"),
    ("Hi", "Hi there! What would you like to know?"),
    ("Hey there", "Hey! Ask me something."),
    ("Good morning!", "Good morning! I hope you slept well."),
    ("Good evening.", "Good evening! How was your day?"),
    ("Good night!", "Good night! Sleep well."),
    ("How are you?", "I am fine, thank you. How are you?"),
    ("How are you today?", "I am doing well today, thank you."),
    ("I am fine too.", "That is good to hear."),
    ("I am sad.", "I am sorry to hear that. I hope it gets better soon."),
    ("I am happy.", "That is wonderful. I am glad for you."),
    ("I am tired.", "Then a little rest may help you."),
    ("I am hungry.", "Maybe you could eat an apple or some bread."),
    ("Thank you!", "You are welcome!"),
    ("Thanks a lot", "My pleasure."),
    ("Goodbye!", "Goodbye! See you soon."),
    ("Bye", "Bye! Have a nice day."),
    ("What is your name?", "My name is Droid."),
    ("Who are you?", "I am Droid, a very small language model."),
    ("What are you?", "I am a small demo model. I know a few simple things."),
    (
        "What can you do?",
        "I can answer short questions, count, add small numbers and repeat words.",
    ),
    ("Can you help me?", "I will try. What do you need?"),
    ("Are you a human?", "No, I am a small computer model."),
    ("How old are you?", "I am very new. I was made for a short demo."),
    ("Tell me a joke.", "Why did the hen cross the road? To get to the other side."),
    ("Tell me a story.", "Once a small fox found a lamp in the snow and carried it home."),
    ("Say something nice.", "You are doing very well today."),
    ("Do you like animals?", "Yes, I like to talk about animals."),
    ("What is the sun?", "The sun is the star that gives us light."),
    ("What is the moon?", "The moon is the light we see in the sky at night."),
    ("What is rain?", "Rain is water that falls from the clouds."),
    ("What is snow?", "Snow is cold, white and made of frozen water."),
    ("What is water?", "Water is something that we drink every day."),
    ("What is a book?", "A book has many pages that you can read."),
    ("What is a ship?", "A ship is a large boat that sails on the sea."),
    ("What is an island?", "An island is land with water all around it."),
    ("What is a tree?", "A tree is a tall plant with leaves and branches."),
    ("What is a friend?", "A friend is someone who is kind to you."),
    ("How many days are in a week?", "A week has 7 days."),
    ("How many months are in a year?", "A year has 12 months."),
    ("How many hours are in a day?", "A day has 24 hours."),
    ("Is ice cold?", "Yes, ice is very cold."),
    ("Is fire hot?", "Yes, fire is very hot. Be careful."),
    ("Can fish fly?", "No, fish swim in the water."),
    ("Can birds fly?", "Yes, most birds can fly."),
)
_UNKNOWN_STARTS = ("What is the capital of", "Explain", "Write a poem about", "Who invented",
                   "How do I fix", "Translate", "What do you think about", "How far is it to",
                   "Write code for", "Why is there", "When was the war of", "Describe",
                   "How does one build", "What is the price of")  # fmt: skip
_UNKNOWN_THINGS = ("France", "Japan", "quantum physics", "democracy", "my computer", "Python",
                   "a rocket engine", "the stock market", "gravity", "electricity", "football",
                   "the internet", "Rome", "chemistry", "a database", "love", "algebra", "Texas",
                   "history", "the economy", "a website", "medicine", "a telephone",
                   "philosophy", "Mars", "this sentence", "artificial intelligence")  # fmt: skip


def talk(rng: random.Random) -> Exchange:
    question, answer = rng.choice(_TALK)
    return Exchange(topic="talk", question=question, answer=answer)


def greeting_by_name(rng: random.Random) -> Exchange:
    name = rng.choice(NAMES)
    question, answer = rng.choice(
        (
            (f"My name is {name}.", f"Nice to meet you, {name}."),
            (f"Hello, I am {name}.", f"Hello {name}! How can I help you?"),
            (f"Say hello to {name}.", f"Hello, {name}!"),
        )
    )
    return Exchange(topic="talk", question=question, answer=answer)


def unknown(rng: random.Random) -> Exchange:
    """Saying "I do not know" keeps a tiny model from answering every question with an animal."""
    start, thing = rng.choice(_UNKNOWN_STARTS), rng.choice(_UNKNOWN_THINGS)
    answer = {
        0: f"I am sorry, I do not know anything about {thing}.",
        1: "That is too hard for me. I only know simple things.",
        2: "I do not know that yet. Ask me something easier.",
    }[_UNKNOWN_STARTS.index(start) % 3]
    return Exchange(topic="unknown", question=f"{start} {thing}?", answer=answer)


SMALLTALK: tuple[tuple[Topic, float], ...] = (
    (talk, 2.6), (greeting_by_name, 0.8), (unknown, 0.9),
)  # fmt: skip
