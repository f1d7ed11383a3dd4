"""A CSV file of a thousand made-up subscribers, a dozen of whose rows are bad on purpose."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

COUNT = 1000
DOMAIN = "lecteurs.example"
HEADER = ("Courriel", "Prénom", "Nom", "Ville", "Langue")

_FIRST_NAMES = (
    *("Aïgerim", "Alice", "Amélie", "Anne-Sophie", "Arman", "Aurélie", "Bastien", "Benoît", "Camille", "Chloé"),
    *("Clément", "Dana", "Daniyar", "Élodie", "Émile", "Éric", "Fatima", "Florence", "François", "Gaëlle"),
    *("Hélène", "Hugo", "Ibrahim", "Inès", "Jérôme", "Joëlle", "Karima", "Laïla", "Loïc", "Louise", "Madina"),
    *("Maëlle", "Marek", "Mathéo", "Nadège", "Noé", "Nurlan", "Océane", "Olivier", "Pieter", "Raphaël", "Saule"),
    *("Sébastien", "Théo", "Timur", "Valérie", "Wim", "Yasmine", "Zhanna", "Zoé"),
)
_LAST_NAMES = (
    *("Abenov", "Adams", "Benali", "Bernard", "Claes", "Colin", "D’Hondt", "De Smet", "Dubois", "Dumont"),
    *("Fontaine", "Gérard", "Goossens", "Hermans", "Iskakova", "Jacobs", "Janssens", "Kasymov", "Lambert"),
    *("Leclercq", "Lefèvre", "Maes", "Martin", "Mertens", "Michel", "Nguyễn", "Noël", "Omarova", "Peeters"),
    *("Renard", "Sadykova", "Simon", "Thomas", "Urbain", "Vandenberghe", "Willems", "Wouters", "Yıldız"),
)
_CITIES = ("Bruxelles", "Liège", "Namur", "Luxembourg", "Paris", "Genève", "Astana", "Gand", "Uccle", "")
_LANGUAGES = ("fr", "fr", "fr", "nl", "en")

# What real exports hold: each breaks a rule of its own.
BAD_ROWS: tuple[tuple[str, ...], ...] = (
    ("", "Sans", "Adresse", "Mons", "fr"),
    ("arobase.absente.lecteurs.example", "Paul", "Petit", "Liège", "fr"),
    ("deux@@lecteurs.example", "Rose", "Roux", "Namur", "fr"),
    ("espace dedans@lecteurs.example", "Max", "Moreau", "Gand", "nl"),
    ("point.final.@lecteurs.example", "Léa", "Leroy", "Paris", "fr"),
    ("@lecteurs.example", "Tom", "Toussaint", "Paris", "fr"),
    ("personne@", "Ève", "Evrard", "Uccle", "fr"),
    ("domaine@sans-point", "Guy", "Gillet", "Arlon", "fr"),
    ("trop@long" + "g" * 250 + ".example", "Ida", "Ista", "Mons", "fr"),
    ("virgule@lecteurs.example", "Luc", "Lambert", "Rue Haute", "12", "Bruxelles", "fr"),
    ("nom.trop.long@lecteurs.example", "X" * 201, "Dupont", "Liège", "fr"),
)


def write_people(path: Path, seed: int = 56) -> int:
    """Write the file; how many data rows it has. The last bad row repeats the address of the first good one."""
    random = Random(seed)  # noqa: S311 - made-up names, not secrets
    good = [_person(random, number) for number in range(1, COUNT - len(BAD_ROWS))]
    rows = list(good)
    for index, bad in enumerate((*BAD_ROWS, good[0]), start=1):
        rows.insert(index * 75, bad)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows)
    return len(rows)


def _person(random: Random, number: int) -> tuple[str, ...]:
    # One in ten gave no name, as in life: the greeting's default stands in.
    named = random.random() > 0.1
    return (
        f"lecteur{number:04d}@{DOMAIN}",
        random.choice(_FIRST_NAMES) if named else "",
        random.choice(_LAST_NAMES) if named else "",
        random.choice(_CITIES),
        random.choice(_LANGUAGES),
    )
