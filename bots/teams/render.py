"""`Reply` to Adaptive Card, pure.

https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-reference#adaptive-card

All text sits in `TextRun`s, which take it literally. `TextBlock` and `FactSet` read Markdown, and Teams on
Windows, Android and iOS disagree on how to escape it (https://github.com/MicrosoftDocs/msteams-docs/issues/5793),
so neither is used: a job called `**x**` stays inert by construction.
"""

import json
import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final, TypeAlias, assert_never

from adaptive_cards import card as ac
from adaptive_cards import types as act

from bots.shorten import Limits, fit
from brain import reply as answer
from brain.forms import form_of
from brain.message import Locale
from brain.phrases import say
from brain.reply import Buttons, Code, Reply, Span, Table, strong

REASON: Final = "reason"
"""The input that holds what a form asks for."""
MAX_CARD_BYTES: Final = 28 * 1024
"""As UTF-8 JSON. Bots may send more, but this is what every route into Teams takes."""

_ENVELOPE_BYTES: Final = 512
"""For all that is not body: type, version, schema, language, width."""
_MAX_QUOTE_CHARS: Final = 160
_MAX_SUMMARY_CHARS: Final = 500
_BUTTONS_A_ROW: Final = 6
"""Teams hides further ones behind a menu."""

_Element: TypeAlias = ac.RichTextBlock | ac.ColumnSet | ac.Table | ac.Container | ac.ActionSet

_LIMITS: Final = {
    locale: Limits(
        budget=MAX_CARD_BYTES - _ENVELOPE_BYTES,
        max_blocks=60,
        max_items=300,
        max_chars=MAX_CARD_BYTES,
        items_note=note,
        chars_note=f"{note} {characters}",
    )
    for locale, note, characters in (
        (Locale.EN, "… {} more", "characters"),
        (Locale.PT, "… mais {}", "caracteres"),
    )
}
_LANGUAGES: Final = {Locale.EN: "en", Locale.PT: "pt"}
_NOTICE_STYLES: Final = {
    "info": act.ContainerStyle.ACCENT,
    "good": act.ContainerStyle.GOOD,
    "warning": act.ContainerStyle.WARNING,
    "danger": act.ContainerStyle.ATTENTION,
}
_BUTTON_STYLES: Final = {
    "default": None,
    "primary": act.ActionStyle.POSITIVE,
    "danger": act.ActionStyle.DESTRUCTIVE,
}
_ADJACENT_BRACES: Final = re.compile(r"(?<=\{)(?=\{)")
_BLANKS: Final = re.compile(r"^ | (?= )|(?<= ) ")


def to_card(reply: Reply, locale: Locale) -> dict[str, Any]:
    """The card as JSON-able data: version 1.5, at most `MAX_CARD_BYTES`.

    A reply that reports a decision has no buttons, for it takes the place of the card that had them. A reply
    without a block that shows anything is shown by its plain text.
    """
    blocks = [block for block in reply.blocks if not (reply.outcome and isinstance(block, Buttons))]
    return _card(blocks, locale) or _card([answer.text(reply.plain_text.strip() or "–")], locale)


def to_summary(reply: Reply) -> str:
    """The line for notifications and screen readers."""
    return _clip(reply.plain_text, _MAX_SUMMARY_CHARS)


def _card(blocks: Sequence[answer.Block], locale: Locale) -> dict[str, Any]:
    """The finished card, empty where the blocks show nothing."""
    fitting = fit(blocks, _LIMITS[locale], partial(_size, locale=locale))
    elements = [element for block in fitting for element in _elements(block, locale)]
    if not elements:
        return {}
    card = ac.AdaptiveCard.new().version("1.5").lang(_LANGUAGES[locale]).add_items(elements).create()
    # Its own dict has enums in it, and its validator refuses the width.
    finished: dict[str, Any] = json.loads(card.to_json())
    is_wide = any(isinstance(block, Table | Code) for block in fitting)
    return finished | ({"msteams": {"width": "Full"}} if is_wide else {})


def _size(block: answer.Block, locale: Locale) -> int:
    """Bytes of the block's elements in the card's JSON, commas included."""
    dumps = (
        element.model_dump_json(by_alias=True, exclude_none=True) for element in _elements(block, locale)
    )
    return sum(len(dump.encode()) + 1 for dump in dumps)


def _elements(block: answer.Block, locale: Locale) -> list[_Element]:
    """The block's elements; none for an empty block."""
    match block:
        case answer.Text():
            return [*_paragraphs(block.spans)]
        case answer.Bullets():
            return _bullets(block)
        case answer.Facts():
            return _facts(block)
        case Table():
            return _table(block)
        case Code():
            return _code(block)
        case answer.Citations():
            return [part for number, item in enumerate(block.items, 1) for part in _citation(number, item)]
        case Buttons():
            rows = range(0, len(block.items), _BUTTONS_A_ROW)
            return [
                ac.ActionSet(actions=_actions(block.items[row : row + _BUTTONS_A_ROW], locale))
                for row in rows
            ]
        case answer.Steps():
            steps = [Span("\n".join(map(answer.step_line, block.items)))]
            return [*_title(block.title), *_paragraphs(steps)]
        case answer.Notice():
            lines: list[Any] = _title(block.text)
            return [ac.Container(style=_NOTICE_STYLES[block.level], items=lines)] if lines else []
        case _:
            assert_never(block)


def _paragraphs(spans: Iterable[Span]) -> list[ac.RichTextBlock]:
    """One element a line: runs do not keep line breaks."""
    lines: list[list[ac.TextRun]] = [[]]
    for span in spans:
        for index, line in enumerate(span.text.replace("\r\n", "\n").split("\n")):
            if index:
                lines.append([])
            lines[-1].extend(_runs(line, span.style))
    return [_line(runs, close=index > 0) for index, runs in enumerate(filter(None, lines))]


def _line(runs: Sequence[ac.TextRun], *, close: bool = False) -> ac.RichTextBlock:
    return ac.RichTextBlock(inlines=list(runs), spacing=act.Spacing.NONE if close else None)


def _closer(lines: Sequence[ac.RichTextBlock]) -> list[_Element]:
    """With less space above than a paragraph has."""
    return [line.model_copy(update={"spacing": line.spacing or act.Spacing.SMALL}) for line in lines]


def _runs(
    literal: str, style: str = "plain", *, size: act.FontSize | None = None, is_subtle: bool | None = None
) -> list[ac.TextRun]:
    """The text as runs; two braces never share one, or `{{DATE(…)}}` would be shown as a date."""
    return [
        ac.TextRun(
            text=piece,
            weight=act.FontWeight.BOLDER if style == "strong" else None,
            font_type=act.FontType.MONOSPACE if style == "code" else None,
            size=size,
            is_subtle=is_subtle,
        )
        for piece in _ADJACENT_BRACES.split(literal)
        if piece
    ]


def _title(title: str) -> list[_Element]:
    return [*_paragraphs([strong(title)])]


def _bullets(block: answer.Bullets) -> list[_Element]:
    return [
        line
        for number, item in enumerate(block.items, 1)
        for line in _closer(_paragraphs((Span(f"{number}. " if block.numbered else "• "), *item.spans)))
    ]


def _facts(block: answer.Facts) -> list[_Element]:
    if not block.items:
        return _title(block.title)
    # No table: the renderer takes another name for `firstRowAsHeader` than the schema, so a first row is a header.
    rows = [
        ac.ColumnSet(
            columns=[_column(label, "strong", width=1), _column(value, "plain", width=2)],
            spacing=act.Spacing.SMALL,
        )
        for label, value in block.items
    ]
    return [*_title(block.title), *rows]


def _column(cell: str, style: str, *, width: int) -> ac.Column:
    return ac.Column(width=str(width), items=[_cell(cell, style)])


def _table(block: Table) -> list[_Element]:
    if not block.columns:
        return _title(block.title)
    header = _row(block.columns, styles=("strong",) * len(block.columns))
    rows = [_row(row, styles=("plain",) * len(row)) for row in block.rows]
    # A job's name needs more room than its state; names are broken where they do not fit.
    longest = [max(map(len, column)) for column in zip(block.columns, *block.rows, strict=True)]
    columns = [ac.TableColumnDefinition(width=min(max(chars, 10), 24)) for chars in longest]
    return [*_title(block.title), ac.Table(columns=columns, rows=[header, *rows], first_row_as_header=True)]


def _row(cells: Iterable[str], *, styles: Iterable[str]) -> ac.TableRow:
    return ac.TableRow(
        cells=[ac.TableCell(items=[_cell(cell, style)]) for cell, style in zip(cells, styles, strict=True)]
    )


def _cell(cell: str, style: str) -> ac.RichTextBlock:
    return _line(_runs(" ".join(cell.split()) or "\xa0", style))


def _code(block: Code) -> list[_Element]:
    lines: list[Any] = [
        # Clients fold blanks, which columns and indentation in a log are made of.
        _line(_runs(_BLANKS.sub("\xa0", line) or "\xa0", "code", size=act.FontSize.SMALL), close=index > 0)
        for index, line in enumerate(block.text.expandtabs().splitlines())
    ]
    body = [ac.Container(style=act.ContainerStyle.EMPHASIS, items=lines)] if lines else []
    return [*_title(block.caption), *body]


def _citation(number: int, item: answer.Citation) -> list[_Element]:
    # A run loses its line breaks, which would join two words.
    place = f", {' '.join(item.place.split())}" if item.place else ""
    quote = _clip(" ".join(item.quote.split()), _MAX_QUOTE_CHARS)
    title = " ".join(item.document_title.split())
    head = [*_runs(f"[{number}] {title}", "strong"), *_runs(place)]
    return [*_closer([_line(head)]), *([_line(_runs(quote, is_subtle=True), close=True)] if quote else [])]


def _actions(buttons: Iterable[answer.Button], locale: Locale) -> list[Any]:
    return [
        _asking(button, locale) if button.asks_reason else _action(button, button.label) for button in buttons
    ]


def _action(button: answer.Button, label: str) -> ac.ActionExecute:
    return ac.ActionExecute(
        title=label,
        style=_BUTTON_STYLES[button.style],
        mode=None,
        verb=button.verb.value,
        data={"value": button.value},
        # For clients that know no Action.Execute; the press then comes as a message.
        fallback=ac.ActionSubmit(
            title=label, mode=None, data={"verb": button.verb.value, "value": button.value}
        ),
    )


def _asking(button: answer.Button, locale: Locale) -> ac.ActionShowCard:
    """Opens the form in the card itself; what is written there comes with the press."""
    form = form_of(button.verb, locale)
    written = ac.InputText(
        id=REASON,
        label=form.label,
        placeholder=form.hint,
        is_multiline=True,
        is_required=True,
        error_message=say(locale, "form_missing"),
        max_length=form.max_chars,
    )
    asked = ac.AdaptiveCard.new().version("1.5").add_items([written]).create()
    asked.actions = [_action(button, form.submit)]
    return ac.ActionShowCard(title=button.label, style=_BUTTON_STYLES[button.style], mode=None, card=asked)


def _clip(line: str, max_chars: int) -> str:
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"
