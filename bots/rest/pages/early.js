// Runs before the first paint, so that the page never flashes in the other theme or language.
"use strict";

const theme = localStorage.getItem("resync.theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;

const language = localStorage.getItem("resync.language") ?? navigator.language;
document.documentElement.lang = language.toLowerCase().startsWith("pt") ? "pt-BR" : "en";
