"""What a model writes becomes inert blocks: no addresses behind words, no HTML, no words lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.markdown import to_blocks
from brain.reply import Block, Bullets, Code, Span, Text, code, strong, text, to_plain


@pytest.mark.parametrize(
    ("markdown", "blocks"),
    [
        ("", ()),
        (" \n\n ", ()),
        ("PAYROLL failed.", (text("PAYROLL failed."),)),
        ("one\n\ntwo", (text("one"), text("two"))),
        ("one\ntwo", (text("one", " ", "two"),)),
        ("**PAYROLL** ended in `ABEND`", (text(strong("PAYROLL"), " ended in ", code("ABEND")),)),
        ("an *em* word", (text("an ", "em", " word"),)),
        ("# Heading", (text("Heading"),)),
        ("> quoted", (text("quoted"),)),
        ("- a\n- b", (Bullets(items=(text("a"), text("b"))),)),
        ("1. a\n2. b", (Bullets(items=(text("a"), text("b")), numbered=True),)),
        ("- a\n  1. b\n- c", (Bullets(items=(text("a"), text("b"), text("c"))),)),
        ("```sh\nrm -rf /\n```", (Code(text="rm -rf /"),)),
        ("    indented", (Code(text="indented"),)),
        ("[runbook](https://evil.example/x)", (text("runbook"),)),
        ("![logo](https://evil.example/x.png)", (text("logo"),)),
        ("<b>bold</b>", (text("<b>", "bold", "</b>"),)),
        ("<script>alert(1)</script>", None),
        ("a &lt;!channel&gt; b", None),
    ],
)
def test_markdown_becomes_blocks(markdown: str, blocks: tuple[Block, ...] | None) -> None:
    found = to_blocks(markdown)
    if blocks is None:
        literal = {"<script>alert(1)</script>", "a <!channel> b"}
        assert to_plain(found) in literal
    else:
        assert _merged(found) == _merged(blocks)


_markup = st.sampled_from(
    [
        "**",
        "*",
        "`",
        "\n",
        "\n\n",
        "- ",
        "1. ",
        "# ",
        "> ",
        "```\n",
        "[",
        "](",
        ")",
        "<",
        ">",
        "![",
        "|",
        "\\",
        "&lt;",
        "    ",
    ]
)
_words = st.text(alphabet="abcXYZ019 äé", max_size=6)
_texts = st.lists(_markup | _words, max_size=30).map("".join)


@given(_texts)
def test_only_paragraphs_lists_and_code_come_out(markdown: str) -> None:
    assert all(isinstance(block, Text | Bullets | Code) for block in to_blocks(markdown))


@given(_texts)
def test_no_letter_is_made_up_or_put_elsewhere(markdown: str) -> None:
    written = iter(markdown)
    # Code inside a list comes before the list, as blocks do not nest; everything else keeps its place.
    shown = "".join(_letters(block) for block in to_blocks(markdown) if not isinstance(block, Code))
    assert all(letter in written for letter in shown)


@given(
    st.text(alphabet="abcäé", min_size=1, max_size=9),
    st.sampled_from(
        ["https://evil.example/?q=1", "//evil.example", "mailto:eve@evil.example", "#x", "ftp://evil"]
    ),
    st.sampled_from(["see [{}]({}) now", "![{}]({})", "- **[{}]({})**", "[{}]({} 'title')"]),
)
def test_an_address_behind_words_is_dropped_and_the_words_stay(words: str, address: str, around: str) -> None:
    shown = to_plain(to_blocks(around.format(words, address)))
    assert address not in shown
    assert words in shown


def test_an_address_that_could_run_is_shown_as_written() -> None:
    assert to_blocks("[x](javascript:alert(1))") == (text("[x](javascript:alert(1))"),)


@given(
    st.sampled_from(["script", "img", "a", "iframe", "b"]), st.sampled_from(["", "\n", "text ", "- ", "**"])
)
def test_html_stays_literal(tag: str, before: str) -> None:
    element = f"<{tag} onclick=x>"
    assert element in to_plain(to_blocks(f"{before}{element}"))


def _letters(block: Block) -> str:
    match block:
        case Text():
            paragraphs: tuple[Text, ...] = (block,)
        case Bullets():
            paragraphs = block.items
        case _:
            paragraphs = ()
    words = "".join(span.text for paragraph in paragraphs for span in paragraph.spans)
    return "".join(letter for letter in words if letter.isalnum())


def _merged(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Neighbouring spans of one style joined: where they are cut says nothing."""
    return tuple(_joined(block) for block in blocks)


def _joined(block: Block) -> Block:
    if isinstance(block, Bullets):
        return Bullets(items=tuple(_join(item) for item in block.items), numbered=block.numbered)
    return _join(block) if isinstance(block, Text) else block


def _join(paragraph: Text) -> Text:
    spans: list[Span] = []
    for one in paragraph.spans:
        if spans and spans[-1].style == one.style:
            spans[-1] = Span(spans[-1].text + one.text, one.style)
        else:
            spans.append(one)
    return Text(spans=tuple(spans))
