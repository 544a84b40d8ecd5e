"""A toy grammar of English with its translation into French, by rules: word order, agreement and negation.

A sentence is ``subject verb object``, which may be negated and may begin or end with a time. In French adjectives
follow their nouns and agree with them, so do determiners; the time that ends the English sentence begins the
French one; negation stands around the verb.
"""

import numpy as np

SINGULAR, PLURAL = 0, 1
MASCULINE, FEMININE = 0, 1

NOUNS = {  # singular and plural in English, in French, gender
    "cat": ("cats", "chat", "chats", MASCULINE),
    "dog": ("dogs", "chien", "chiens", MASCULINE),
    "horse": ("horses", "cheval", "chevaux", MASCULINE),
    "boat": ("boats", "bateau", "bateaux", MASCULINE),
    "house": ("houses", "maison", "maisons", FEMININE),
    "girl": ("girls", "fille", "filles", FEMININE),
    "table": ("tables", "table", "tables", FEMININE),
    "flower": ("flowers", "fleur", "fleurs", FEMININE),
}
ADJECTIVES = {  # masculine and feminine singular, masculine and feminine plural
    "black": ("noir", "noire", "noirs", "noires"),
    "white": ("blanc", "blanche", "blancs", "blanches"),
    "green": ("vert", "verte", "verts", "vertes"),
    "new": ("neuf", "neuve", "neufs", "neuves"),
}
DETERMINERS = {  # number, masculine and feminine
    "the": (None, ("le", "la"), ("les", "les")),
    "my": (None, ("mon", "ma"), ("mes", "mes")),
    "a": (SINGULAR, ("un", "une"), None),
    "two": (PLURAL, None, ("deux", "deux")),
    "six": (PLURAL, None, ("six", "six")),
}
VERBS = {  # plain, singular and plural in English and in French
    "see": ("sees", "voit", "voient"),
    "want": ("wants", "veut", "veulent"),
    "follow": ("follows", "suit", "suivent"),
    "find": ("finds", "trouve", "trouvent"),
}
TIMES = {"now": "maintenant", "tomorrow": "demain", "every morning": "chaque matin"}


def noun_phrase(generator: np.random.Generator) -> tuple[str, str, int]:
    """English, French and number of ``the black cats``."""
    determiner = _one(generator, DETERMINERS)
    fixed, *forms = DETERMINERS[determiner]
    number = int(generator.integers(2)) if fixed is None else fixed
    noun = _one(generator, NOUNS)
    plural, *french, gender = NOUNS[noun]
    english_words, french_words = [determiner], [forms[number][gender]]
    french_words.append(french[number])
    if generator.random() < 0.5:
        adjective = _one(generator, ADJECTIVES)
        english_words.append(adjective)
        french_words.append(ADJECTIVES[adjective][2 * number + gender])
    english_words.append(plural if number == PLURAL else noun)
    return " ".join(english_words), " ".join(french_words), number


def sentence(generator: np.random.Generator) -> tuple[str, str]:
    """A sentence in English and in French."""
    english_subject, french_subject, number = noun_phrase(generator)
    english_object, french_object, _ = noun_phrase(generator)
    verb = _one(generator, VERBS)
    singular, *french = VERBS[verb]
    if generator.random() < 0.3:
        english_verb = f"{'do' if number == PLURAL else 'does'} not {verb}"
        french_verb = f"ne {french[number]} pas"
    else:
        english_verb, french_verb = (verb if number == PLURAL else singular), french[number]
    english = f"{english_subject} {english_verb} {english_object}"
    translation = f"{french_subject} {french_verb} {french_object}"
    if generator.random() < 0.3:
        time = _one(generator, TIMES)
        english, translation = f"{english} {time}", f"{TIMES[time]} {translation}"
    return english, translation


def _one(generator: np.random.Generator, words: dict) -> str:
    return list(words)[generator.integers(len(words))]
