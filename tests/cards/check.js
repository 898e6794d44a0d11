// What the official renderer says of one card: [complaint, …], empty when it takes and shows all of it.
payload => {
  const complaints = [];
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    complaints.push(`read as Markdown: ${text.slice(0, 40)}`);
    result.didProcess = false;
  };
  // Teams shows six buttons; and a pattern with the flag g remembers where it last matched.
  const host = new AdaptiveCards.HostConfig({ actions: { maxActions: 6 } });
  AdaptiveCards.AdaptiveCard.langProperty.regEx.lastIndex = 0;
  const { msteams, ...plain } = payload; // which Teams needs and the schema does not know
  if (!followsSchema(plain)) complaints.push(...followsSchema.errors.map(error => `schema: ${error.dataPath} ${error.message}`));
  const context = new AdaptiveCards.SerializationContext(AdaptiveCards.Versions.v1_5);
  const card = new AdaptiveCards.AdaptiveCard();
  card.hostConfig = host;
  card.parse(payload, context);
  for (let index = 0; index < context.eventCount; index++) complaints.push(context.getEventAt(index).message);
  for (const event of card.validateProperties().validationEvents) complaints.push(event.message);
  const shown = card.render();
  if (!shown) return [...complaints, "nothing is rendered"];
  if (shown.querySelector("a, img, script, b, i, em, strong, h1, ul")) complaints.push("text became mark-up");
  const runs = [];
  const collect = node => {
    if (Array.isArray(node)) node.forEach(collect);
    else if (node && node.type === "TextRun") runs.push(node.text);
    else if (node && typeof node === "object") Object.values(node).forEach(collect);
  };
  collect(payload.body);
  shown.querySelectorAll("button").forEach(button => button.remove());
  if (shown.textContent !== runs.join("")) complaints.push("shown text differs from the card's");
  return complaints;
}
