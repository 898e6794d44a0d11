"""Replies of all blocks with the names an attacker or an accident would choose, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from brain.message import Locale, Verb
from brain.reply import (
    Block,
    Bullets,
    Button,
    Buttons,
    Citation,
    Citations,
    Code,
    DecisionOutcome,
    Facts,
    Notice,
    Reply,
    Span,
    Steps,
    StepView,
    Table,
    Text,
    to_plain,
)

_NAMES = (
    "PAYROLL", "Fechamento do mês", "", " ", "\n", "a\r\nb", "**bold** _it_ ~s~ `c`", "<!channel>", "@channel @here",
    "<@U1>", "<at>all</at>", "[click](https://evil.example)", "<https://evil.example|runbook>", "![i](http://e/x.png)",
    "# heading\n- item", "{{DATE(2020-01-01T00:00:00Z)}}", "${name} $root", "&lt;b&gt; &amp; <b>", "<script>x</script>",
    "\u202eDLOH\u2066x", "\u200f\u200e\ufeff", "👩‍👩‍👧‍👦🇧🇷 :boom:", "العربية", "| a | b |", "\x00\x07\x1b[31m", "\u2028x\u2029", '"\\" }]',
    "x" * 4_000, "&<>" * 1_333, "é" * 4_000, "🔥" * 2_000, "\u202e" * 4_000,
)  # fmt: skip
_SHORT = 27
"""So many of the names are short; the long ones are rarer, or every card would be cut."""


def generated(count: int, seed: int = 1) -> Iterator[tuple[Reply, Locale]]:
    """So many replies, each with the language of its reader."""
    random = Random(seed)  # noqa: S311  # repeatable is what is wanted
    for _ in range(count):
        blocks = tuple(_block(random) for _ in range(random.choice((1, 2, 3, 5, 8))))
        outcome = DecisionOutcome(proposal_id="p", state="confirmed", detail=_name(random))
        decided = random.random() < 0.1
        reply = Reply(blocks=blocks, plain_text=to_plain(blocks) or "–", outcome=outcome if decided else None)
        yield reply, random.choice(list(Locale))


def _name(random: Random) -> str:
    return random.choice(_NAMES[:_SHORT] if random.random() < 0.97 else _NAMES[_SHORT:])


def _spans(random: Random) -> Text:
    styles = ("plain", "strong", "code")
    return Text(spans=tuple(Span(_name(random), random.choice(styles)) for _ in range(random.randrange(5))))  # type: ignore[arg-type]  # the styles


def _names(random: Random, count: int) -> tuple[str, ...]:
    return tuple(_name(random) for _ in range(count))


def _block(random: Random) -> Block:
    many = random.choice((0, 1, 3, 6, 6, 30))
    match random.randrange(9):
        case 0:
            return _spans(random)
        case 1:
            items = tuple(_spans(random) for _ in range(many))
            return Bullets(items=items, numbered=random.random() < 0.5)
        case 2:
            return Facts(
                items=tuple((_name(random), _name(random)) for _ in range(many)), title=_name(random)
            )
        case 3:
            width = random.choice((0, 1, 3, 5, 22))
            rows = tuple(_names(random, width) for _ in range(many))
            return Table(columns=_names(random, width), rows=rows, title=_name(random))
        case 4:
            return Code(text="\n".join(_names(random, many)), caption=_name(random))
        case 5:
            return Citations(items=tuple(_citation(random) for _ in range(many)))
        case 6:
            return Buttons(items=tuple(_button(random) for _ in range(many)))
        case 7:
            return Steps(items=tuple(_step(random) for _ in range(many)), title=_name(random))
        case _:
            return Notice(text=_name(random), level=random.choice(("info", "good", "warning", "danger")))  # type: ignore[arg-type]  # the levels


def _citation(random: Random) -> Citation:
    document_id, title, location, quote = _names(random, 4)
    page = random.choice((None, 7))
    return Citation(document_id=document_id, document_title=title, location=location, quote=quote, page=page)


def _button(random: Random) -> Button:
    style = random.choice(("default", "primary", "danger"))
    return Button(label=_name(random), verb=random.choice(list(Verb)), value=_name(random), style=style)  # type: ignore[arg-type]  # the styles


def _step(random: Random) -> StepView:
    state = random.choice(("done", "failed", "skipped"))
    return StepView(title=_name(random), state=state, depth=random.randint(1, 4), detail=_name(random))  # type: ignore[arg-type]  # the states
