"""Draws what `resync eval retrieval --json FILE` measured. `python -m tests.bench.retrieval_picture FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_PICTURE = Path(__file__).parents[2] / "docs" / "images" / "retrieval.svg"
_SYSTEMS = {
    "Resync": ("ndcg_at_10", "#0f62fe"),
    "BM25": ("bm25_ndcg_at_10", "#8d8d8d"),
    "vectors": ("vector_ndcg_at_10", "#b5b5b5"),
    "both by rank": ("rrf_ndcg_at_10", "#d6d6d6"),
}
_BAR, _GAP, _LEFT, _WIDTH = 16, 22, 130, 480
_STYLE = "font: 13px system-ui, sans-serif; fill: #393939"


def draw(sets: list[dict[str, Any]]) -> str:
    """Four bars a set, as SVG."""
    height = len(sets) * (len(_SYSTEMS) * _BAR + _GAP) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 60}" height="{height}" style="{_STYLE}">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="10" y="22" font-weight="600">nDCG@10 in per cent</text>',
    ]
    legend = _LEFT + 60
    for name, (_, colour) in _SYSTEMS.items():
        parts.append(f'<rect x="{legend}" y="11" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{legend + 18}" y="22">{name}</text>')
        legend += 40 + 8 * len(name)
    top = 40
    for one in sets:
        parts.append(f'<text x="10" y="{top + 2 * _BAR + 5}">{one["name"]}</text>')
        for key, colour in _SYSTEMS.values():
            width = one[key] / 100 * _WIDTH
            parts.append(
                f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR - 2}" fill="{colour}"/>'
            )
            parts.append(f'<text x="{_LEFT + width + 6:.1f}" y="{top + 12}">{one[key]:.1f}</text>')
            top += _BAR
        top += _GAP
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    sets = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["sets"]
    _PICTURE.write_text(draw(sets), encoding="utf-8")


if __name__ == "__main__":
    main()
