"""Word lists of the demo world: few enough that a tiny model can know all of them."""

from __future__ import annotations

from typing import NamedTuple


class Animal(NamedTuple):
    sound: str
    home: str
    food: str
    legs: int
    young: str
    size: int
    moves: str


# Sizes only order the animals for "which is bigger"; no two share one.
ANIMALS: dict[str, Animal] = {
    "ant": Animal("nothing", "an anthill", "crumbs", 6, "larva", 1, "walk"),
    "bee": Animal("buzz", "a hive", "nectar", 6, "larva", 2, "fly"),
    "frog": Animal("croak", "a pond", "flies", 4, "tadpole", 4, "jump"),
    "mouse": Animal("squeak", "a hole", "cheese", 4, "pup", 3, "run"),
    "owl": Animal("hoot", "a tree", "mice", 2, "owlet", 7, "fly"),
    "duck": Animal("quack", "a pond", "weeds", 2, "duckling", 6, "swim"),
    "hen": Animal("cluck", "a coop", "seeds", 2, "chick", 5, "run"),
    "cat": Animal("meow", "a house", "fish", 4, "kitten", 8, "run"),
    "fox": Animal("yap", "a den", "rabbits", 4, "cub", 10, "run"),
    "rabbit": Animal("nothing", "a burrow", "carrots", 4, "kit", 9, "jump"),
    "dog": Animal("woof", "a kennel", "bones", 4, "puppy", 11, "run"),
    "goat": Animal("bleat", "a hill", "leaves", 4, "kid", 12, "run"),
    "sheep": Animal("baa", "a field", "grass", 4, "lamb", 13, "walk"),
    "pig": Animal("oink", "a sty", "apples", 4, "piglet", 14, "walk"),
    "lion": Animal("roar", "the grassland", "meat", 4, "cub", 15, "run"),
    "cow": Animal("moo", "a barn", "hay", 4, "calf", 17, "walk"),
    "horse": Animal("neigh", "a stable", "oats", 4, "foal", 16, "run"),
    "bear": Animal("growl", "a cave", "honey", 4, "cub", 18, "walk"),
    "whale": Animal("sing", "the sea", "krill", 0, "calf", 20, "swim"),
    "elephant": Animal("trumpet", "the grassland", "branches", 4, "calf", 19, "walk"),
}

COLOURS: dict[str, str] = {
    "banana": "yellow", "lemon": "yellow", "sunflower": "yellow", "tomato": "red",
    "strawberry": "red", "cherry": "red", "brick": "red", "leaf": "green", "frog": "green",
    "cucumber": "green", "pea": "green", "sky": "blue", "sea": "blue", "blueberry": "blue",
    "carrot": "orange", "pumpkin": "orange", "snow": "white", "milk": "white", "cloud": "white",
    "coal": "black", "crow": "black", "night": "black", "plum": "purple", "grape": "purple",
    "pig": "pink", "chocolate": "brown", "bear": "brown", "elephant": "grey", "mouse": "grey",
}  # fmt: skip
MASS_NOUNS = frozenset({"snow", "milk", "coal", "chocolate"})
UNIQUE_THINGS = frozenset({"sky", "sea", "night"})

OPPOSITES: tuple[tuple[str, str], ...] = (
    ("hot", "cold"), ("big", "small"), ("up", "down"), ("day", "night"), ("old", "new"),
    ("fast", "slow"), ("happy", "sad"), ("wet", "dry"), ("open", "closed"), ("hard", "soft"),
    ("light", "dark"), ("high", "low"), ("full", "empty"), ("near", "far"), ("long", "short"),
    ("left", "right"), ("early", "late"), ("loud", "quiet"), ("strong", "weak"), ("rich", "poor"),
    ("clean", "dirty"), ("sweet", "sour"), ("thick", "thin"), ("win", "lose"), ("push", "pull"),
    ("first", "last"), ("true", "false"), ("inside", "outside"), ("heavy", "weightless"),
    ("brave", "afraid"), ("begin", "end"), ("give", "take"), ("love", "hate"), ("wide", "narrow"),
)  # fmt: skip

GROUPS: dict[str, tuple[str, ...]] = {
    "fruit": ("apple", "banana", "cherry", "grape", "lemon", "melon", "orange", "peach", "pear",
              "plum"),
    "vegetable": ("bean", "cabbage", "carrot", "cucumber", "leek", "onion", "pea", "potato"),
    "colour": ("red", "blue", "green", "yellow", "orange", "purple", "pink", "brown"),
    "tool": ("hammer", "saw", "drill", "rake", "shovel", "ladder", "spade"),
    "vehicle": ("car", "bus", "train", "bicycle", "truck", "boat", "tram"),
    "animal": tuple(ANIMALS),
    "instrument": ("piano", "drum", "violin", "flute", "guitar", "harp"),
    "drink": ("water", "milk", "tea", "juice", "coffee", "cocoa"),
}  # fmt: skip

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SHORT_WORDS = (
    "sun", "moon", "star", "tree", "rock", "lake", "boat", "bell", "lamp", "door", "ring", "hat",
    "shoe", "cup", "book", "map", "coin", "rope", "leaf", "wind", "rain", "snow", "fire", "sand",
    "bird", "fish", "cat", "dog", "fox", "bee", "red", "blue", "green", "milk", "bread", "cake",
)  # fmt: skip
