"""Words that mean the same: one set per line, the words between commas, `#` begins a comment."""

import os

PATH = "/etc/bookshop/synonyms.txt"
LINES_MAX = 1000


def read_synonyms(path=PATH):
    """The sets, each a list of lower-case words; none where there is no file."""
    if not os.path.exists(path):
        return []
    sets = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file):
            if number >= LINES_MAX:
                break
            words = [word.strip().lower() for word in line.split("#")[0].split(",")]
            words = [word for word in words if word]
            if len(words) > 1:
                sets.append(words)
    return sets


def meanings_of(word, sets):
    """The word itself, then every word that means the same."""
    found = [word]
    for words in sets:
        if word in words:
            found += [other for other in words if other not in found]
    return found
