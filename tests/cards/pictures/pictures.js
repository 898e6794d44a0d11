// Draws what a platform was sent, once light and once dark, side by side in #both.
import * as AdaptiveCards from "adaptivecards";
import { createRoot } from "react-dom/client";
import { flushSync } from "react-dom";
import { createElement } from "react";
import { Message } from "slack-blocks-to-jsx";
import "slack-blocks-to-jsx/dist/style.css";
import "./pictures.css";

const TEAMS = {
  light: { text: "#242424", subtle: "#616161", link: "#5b5fc7", card: "#ffffff", line: "#e0e0e0",
    accent: ["#5b5fc7", "#ebf3fc"], good: ["#237b4b", "#e7f2da"], warning: ["#835c00", "#fbf6d9"],
    attention: ["#c4314b", "#fcf4f6"] },
  dark: { text: "#ffffff", subtle: "#adadad", link: "#9299f7", card: "#292929", line: "#3d3d3d",
    accent: ["#9299f7", "#082338"], good: ["#92c353", "#0d2e0d"], warning: ["#f8d22a", "#463100"],
    attention: ["#f9526b", "#3e1f25"] },
};

function hostConfig(theme) {
  const paint = TEAMS[theme];
  const colour = (value) => ({ default: value, subtle: paint.subtle });
  const colours = {
    default: colour(paint.text), accent: colour(paint.accent[0]), good: colour(paint.good[0]),
    warning: colour(paint.warning[0]), attention: colour(paint.attention[0]), dark: colour(paint.text), light: colour(paint.subtle),
  };
  const style = (background) => ({ backgroundColor: background, foregroundColors: colours, borderColor: paint.line });
  return new AdaptiveCards.HostConfig({
    fontTypes: {
      default: { fontFamily: "'Segoe UI', 'Open Sans', 'DejaVu Sans', system-ui, sans-serif" },
      monospace: { fontFamily: "Consolas, 'DejaVu Sans Mono', monospace" },
    },
    fontSizes: { small: 12, default: 14, medium: 14, large: 18, extraLarge: 24 },
    containerStyles: {
      default: style(paint.card), emphasis: style(theme === "light" ? "#f5f5f5" : "#1f1f1f"), accent: style(paint.accent[1]),
      good: style(paint.good[1]), warning: style(paint.warning[1]), attention: style(paint.attention[1]),
    },
    separator: { lineThickness: 1, lineColor: paint.line },
    spacing: { small: 8, default: 8, medium: 12, large: 16, extraLarge: 20, padding: 16 },
    actions: { maxActions: 6, buttonSpacing: 8, actionsOrientation: "horizontal", actionAlignment: "left" },
  });
}

function card(payload, theme) {
  const shown = new AdaptiveCards.AdaptiveCard();
  shown.hostConfig = hostConfig(theme);
  shown.parse(payload);
  return shown.render();
}

function messages(host, blocks, theme) {
  const logo = "data:image/svg+xml," + encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" rx="6" fill="#0b6e6e"/>' +
    '<text x="18" y="25" font-size="20" text-anchor="middle" fill="#fff" font-family="sans-serif">R</text></svg>');
  const time = new Date(2026, 2, 2, 3, 4);
  flushSync(() => createRoot(host).render(createElement(Message, { blocks, name: "Resync", logo, time, theme })));
}

window.show = (kind, payload) => {
  document.body.innerHTML = '<div id="both"></div>';
  for (const theme of ["light", "dark"]) {
    const side = document.createElement("div");
    side.className = `side ${kind} ${theme}`;
    side.dataset.theme = theme;
    document.getElementById("both").append(side);
    if (kind === "teams") payload.forEach((one) => side.append(card(one, theme)));
    else messages(side, payload, theme);
  }
};
