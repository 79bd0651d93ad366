"""The regular expression of query B, from the product's table of openers."""

LANGUAGES = {"en", "es", "pt", "fr", "de"}


def read(path):
    """The openers of the five languages, in lower case."""
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    return sorted({text.strip() for language, text in rows if language in LANGUAGES})


def pattern(openers):
    """A beginning with an opener, then a space, the end or a question mark.

    Openers that begin alike share their beginning, so that no engine tries them one by one.
    """
    root = {}
    for opener in openers:
        node = root
        for ch in opener:
            node = node.setdefault(ch, {})
        node[""] = {}
    return f"^(?:{alternatives(root)})(?:[ ?]|$)"


def alternatives(node):
    parts = [escaped(ch) + group(child) for ch, child in sorted(node.items()) if ch]
    return "|".join(parts)


def group(node):
    inner = alternatives(node)
    if not inner:
        return ""
    ends = "" in node
    if ends or "|" in inner:
        inner = f"(?:{inner})"
    return f"{inner}?" if ends else inner


def escaped(ch):
    return ch if ch.isalnum() or ch in " '" else "\\" + ch
