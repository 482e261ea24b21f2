"""What is sent, and to whom: lists and templates that are the same in every run."""

from pathlib import Path

FIRST_NAMES = ["Olivia", "Noah", "Wei", "Amelia", "Liam", "Fang", "Sofia", "Mateo", "Yuki", "Ahmed", "Chloé", "Jürgen"]
LAST_NAMES = ["Taylor", "Smith", "Wang", "Müller", "García", "Li", "Rossi", "Tanaka", "Haddad", "Novák", "Silva"]
CITIES = ["Hangzhou", "Lisbon", "Zürich", "Osaka", "Toronto", "Nairobi", "Wellington", "Kraków", "Austin"]
COUNTRIES = ["China", "Portugal", "Switzerland", "Japan", "Canada", "Kenya", "New Zealand", "Poland"]
PLANS = ["basic", "plus", "premium"]
PRODUCTS = ["linen cloth", "seed box", "clay pot", "watering can", "oak stool", "wool blanket", "tea tin"]

# Fifteen columns, about 270 octets a row.
COLUMNS = [
    "email", "first_name", "last_name", "city", "country", "points", "valid_until", "member_since",
    "plan", "store", "advisor", "order_number", "coupon", "phone", "note",
]

SENTENCES = [
    "Spring has come, and we have packed a box for you: seeds that like your climate, and a linen cloth.",
    "Everything in it is made within a day's journey of our workshop, by people whose names we know.",
    "The oak has been drying for six years, and it has been worth every one of them.",
    "If you would rather choose yourself, bring this mail along and ask for the shelf by the window.",
    "We have moved the opening hours: from Monday to Friday until eight, on Saturday until six.",
]


def row(number, has_items):
    """The line of one recipient."""
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    last = LAST_NAMES[number % len(LAST_NAMES)]
    city = CITIES[number % len(CITIES)]
    cells = (
        f"p{number:07d}@example.com,{first},{last},{city},{COUNTRIES[number % len(COUNTRIES)]},"
        f"{number * 37 % 9973},2027-{number % 12 + 1:02d}-15,201{number % 10}-03-01,{PLANS[number % 3]},"
        f"Aurora Home {city} Harbour Road,Advisor {LAST_NAMES[(number + 3) % len(LAST_NAMES)]},"
        f"AH-2026-{number:09d},SPRING-{number * 7919 % 1000000:06d},+86 571 {number % 10000000:07d},"
        f"Thank you for {number % 12 + 1} years with us; your {PRODUCTS[number % len(PRODUCTS)]} is ready to be "
        "picked up until the end of the month"
    )
    if not has_items:
        return cells + "\n"
    items = ",".join(
        f'{{""name"":""{PRODUCTS[(number + i) % len(PRODUCTS)]}"",""price"":""{(number + i * 7) % 90 + 9}.90"",'
        f'""link"":""https://www.aurora-home.example/p/{number * 10 + i}""}}'
        for i in range(10)
    )
    return f'{cells},"[{items}]"\n'


def write_list(path: Path, rows, has_items=False):
    """Writes a list with so many recipients."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(COLUMNS + ["items"] * has_items) + "\n")
        file.writelines(row(number, has_items) for number in range(1, rows + 1))


def filler(octets):
    """Table rows of a newsletter, exactly so many octets."""
    parts = []
    left = octets
    number = 0
    while left > 0:
        line = (
            '<tr><td style="padding:8px 24px;font-size:16px;line-height:1.5;color:#333333">'
            f"{SENTENCES[number % len(SENTENCES)]}</td></tr>\n"
        )
        # The last one is a comment of the right length, so that sizes can be met to the octet.
        if len(line) + 10 > left:
            line = "<!--" + "x" * max(left - 8, 0) + "-->\n"
            parts.append(line)
            break
        parts.append(line)
        left -= len(line)
        number += 1
    return "".join(parts)


def newsletter_html(octets):
    """Three variables and a filler; Handlebars and Jinja read it alike."""
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Your spring box</title></head>\n'
        '<body style="margin:0;font-family:sans-serif">\n'
        "<h1>Hello {{first_name}},</h1>\n"
        "<p>spring has come to <strong>{{city}}</strong>. You have <strong>{{points}}</strong> points.</p>\n"
        '<table role="presentation" width="600" cellpadding="0" cellspacing="0">\n'
        f"{filler(octets)}</table>\n"
        '<p><a href="https://www.aurora-home.example/spring">See what is in the box</a></p>\n'
        "</body>\n</html>\n"
    )


def newsletter_text():
    """The text part that goes with it."""
    return (
        "Hello {{first_name}},\n\nspring has come to {{city}}. You have {{points}} points.\n\n"
        + "\n".join(SENTENCES[:3])
        + "\n\nSee what is in the box:\nhttps://www.aurora-home.example/spring\n"
    )


OFFER_OCTETS = 23 * 1024


def offer_html():
    """23 KB with fifteen variables and a loop over ten items, in Handlebars."""
    variables = "".join(
        f'<tr><td style="padding:4px 24px">{name.replace("_", " ")}</td><td>{{{{{name}}}}}</td></tr>\n'
        for name in COLUMNS
    )
    head = (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Your offers</title></head>\n'
        '<body style="margin:0;font-family:sans-serif">\n<table role="presentation" width="600">\n'
        f"{variables}"
        "{{#each items}}\n"
        '<tr><td style="padding:8px 24px"><a href="{{link}}">{{name}}</a></td><td>{{price}}</td></tr>\n'
        "{{/each}}\n"
    )
    tail = "</table>\n</body>\n</html>\n"
    return head + filler(OFFER_OCTETS - len(head) - len(tail)) + tail


def offer_text():
    """The text part that goes with it; together they make a mail of about 36 KB."""
    items = "{{#each items}}\n{{name}}, {{price}}\n{{link}}\n\n{{/each}}\n"
    return newsletter_text() + items
