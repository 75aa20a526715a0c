"""A report's page, taken apart as a reader without a browser would: elements, their words and attributes."""

import re
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "img"}


class Element:
    """An element of a page."""

    def __init__(self, name, attributes):
        self.name, self.attributes, self.children = name, dict(attributes), []

    def __getitem__(self, attribute):
        return self.attributes[attribute]

    def has_class(self, name):
        return name in (self.attributes.get("class") or "").split()

    def each(self, name=None, class_=None, **attributes):
        """Yield the elements below that have this name, class and these attributes."""
        for child in self.children:
            if isinstance(child, Element):
                if (
                    name in (None, child.name)
                    and (class_ is None or child.has_class(class_))
                    and all(child.attributes.get(key) == value for key, value in attributes.items())
                ):
                    yield child
                yield from child.each(name, class_, **attributes)

    def one(self, name=None, class_=None, **attributes):
        found = list(self.each(name, class_, **attributes))
        assert len(found) == 1, f"{len(found)} elements: {name} {class_} {attributes}"
        return found[0]

    @property
    def text(self):
        """Its words, but for those that no reader sees as such: a picture's title and description."""
        words = "".join(
            child if isinstance(child, str) else "" if child.name in ("title", "desc") else child.text
            for child in self.children
        )
        return re.sub(r"\s+", " ", words).strip()


class _Parser(HTMLParser):
    def __init__(self):
        super().__init__()
        self.root = Element("root", [])
        self.open = [self.root]

    def handle_starttag(self, tag, attrs):
        element = Element(tag, attrs)
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].children.append(Element(tag, attrs))

    def handle_endtag(self, tag):
        assert self.open[-1].name == tag, f"</{tag}> ends <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data):
        self.open[-1].children.append(data)


def parse(page):
    """Return a page's root; every element that begins must end."""
    parser = _Parser()
    parser.feed(page)
    assert parser.open == [parser.root], "an element does not end"
    return parser.root


def corners(d):
    """Return the points of a path of M, L, H and V, in pixels."""
    points = []
    for letter, numbers in re.findall(r"([MLHV])([-\d. ]+)", d):
        values = [float(number) for number in numbers.split()]
        if letter in "ML":
            points.append(tuple(values))
        elif letter == "H":
            points.append((values[0], points[-1][1]))
        else:
            points.append((points[-1][0], values[0]))
    return points


def p_words(p):
    """Write a p-value as the page does."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def cells(page, head):
    """Return a column of the leaderboard, as it is shown."""
    table = page.locator("#leaderboard table")
    heads = [words.strip() for words in table.locator("thead th").all_inner_texts()]
    place = next(at for at, words in enumerate(heads) if words.startswith(head))
    return [row.locator("th, td").nth(place).inner_text().strip() for row in table.locator("tbody tr").all()]


def contrast(first, second):
    def luminance(colour):
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)
