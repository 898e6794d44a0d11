// All words of the page, in both languages. Answers come in the language of the question.

const WORDS = {
  en: {
    skip: "Skip to the conversation",
    newConversation: "New conversation",
    apiDocs: "API",
    switchLanguage: "PT",
    switchLanguageLabel: "Mudar para português",
    themeLabel: "Switch between light and dark",
    signOut: "Sign out",
    loginTitle: "Sign in to Resync",
    loginLead: "Your assistant for IBM and HCL Workload Automation.",
    username: "User name",
    password: "Password",
    signIn: "Sign in",
    signInMissing: "Enter your user name and password.",
    sessionOver: "Your session is over. Sign in again.",
    welcomeTitle: "What do you need to know about the plan?",
    welcomeLead: "Ask in English or Portuguese. Answers come from the live plan, the job logs and your runbooks, with their sources. Nothing changes before somebody approves it.",
    suggestions: ["What failed tonight?", "Why did PAYROLL fail?", "Which job streams are late?", "What does return code 8 mean?"],
    inputLabel: "Your question",
    inputPlaceholder: "Ask about a job, a job stream or a message id…",
    send: "Send",
    hint: "Enter sends, Shift+Enter starts a new line.",
    you: "You",
    working: "Working…",
    reconnecting: "Connection lost. Trying again…",
    tryAgain: "Try again",
    steps: "Steps",
    sources: "Sources",
    openSource: "Open source {number}: {title}",
    source: "Source",
    close: "Close",
    documentGone: "The document cannot be shown now. This is what was quoted:",
    copy: "Copy",
    copied: "Copied",
    readOriginal: "Original",
    feedbackGood: "This answer is good",
    feedbackBad: "This answer is not good",
    feedbackThanks: "Noted.",
    feedbackSent: "Correction sent.",
    feedbackCorrection: "How is it right? Somebody will look at it.",
    feedbackSend: "Send",
    proposed: "Proposed change",
    consequences: "What will happen",
    requiresSecond: "Needs a second person: whoever proposed it may not approve it.",
    expiresIn: "Expires in {time}",
    reason: "Reason",
    reasonPlaceholder: "Optional; goes into the audit trail",
    approve: "Approve",
    reject: "Reject",
    mayNotDecide: "Your role may not decide on changes.",
    deciding: "Waiting for the plan to confirm…",
    confirmed: "Confirmed",
    different: "Different from what was expected",
    unknown: "Result unknown",
    rejected: "Rejected",
    refused: "Refused",
    expired: "Expired",
    actions: { rerun: "Rerun", hold: "Hold", release: "Release", cancel: "Cancel" },
    roles: { viewer: "Viewer", operator: "Operator", supervisor: "Supervisor", admin: "Administrator" },
    degraded: "Reduced service: {parts}.",
    parts: {
      model: "the language model is away, so the answer is composed from facts and quotations",
      model_fallback: "another language model than usual answered",
      redis: "rate limits are not counted",
      budget: "today's budget for the language model is used up",
      embeddings: "documents are searched by words only",
      translation: "the question could not be translated",
      tws: "the scheduler does not answer, so the data may be old",
      langfuse: "traces are not recorded",
    },
    health: { ok: "All systems answer", degraded: "Reduced service", down: "Out of service", unreachable: "No connection" },
    problems: {
      wrong_credentials: "User name or password is wrong.",
      rate_limited: "Too many requests. Wait a moment and try again.",
      not_permitted: "Your role may not do this.",
      proposal_not_found: "This proposal no longer exists.",
      still_running: "This takes longer than usual.",
      already_decided: "What you said has been decided on already.",
      unavailable: "A part of the service is away. Try again in a moment.",
      internal: "Something failed on the server. The log has the cause.",
      unreachable: "The server cannot be reached. Check your connection.",
    },
  },
  pt: {
    skip: "Ir para a conversa",
    newConversation: "Nova conversa",
    apiDocs: "API",
    switchLanguage: "EN",
    switchLanguageLabel: "Switch to English",
    themeLabel: "Alternar entre claro e escuro",
    signOut: "Sair",
    loginTitle: "Entrar no Resync",
    loginLead: "Seu assistente para IBM e HCL Workload Automation.",
    username: "Usuário",
    password: "Senha",
    signIn: "Entrar",
    signInMissing: "Informe usuário e senha.",
    sessionOver: "Sua sessão terminou. Entre novamente.",
    welcomeTitle: "O que você precisa saber sobre o plano?",
    welcomeLead: "Pergunte em português ou inglês. As respostas vêm do plano ativo, dos logs dos jobs e dos seus runbooks, com as fontes. Nada muda antes de alguém aprovar.",
    suggestions: ["O que falhou esta noite?", "Por que o PAYROLL falhou?", "Quais job streams estão atrasados?", "O que significa o código de retorno 8?"],
    inputLabel: "Sua pergunta",
    inputPlaceholder: "Pergunte sobre um job, um job stream ou um código de mensagem…",
    send: "Enviar",
    hint: "Enter envia, Shift+Enter quebra a linha.",
    you: "Você",
    working: "Trabalhando…",
    reconnecting: "Conexão perdida. Tentando de novo…",
    tryAgain: "Tentar de novo",
    steps: "Etapas",
    sources: "Fontes",
    openSource: "Abrir a fonte {number}: {title}",
    source: "Fonte",
    close: "Fechar",
    documentGone: "O documento não pode ser exibido agora. Este é o trecho citado:",
    copy: "Copiar",
    copied: "Copiado",
    readOriginal: "Original",
    feedbackGood: "Esta resposta é boa",
    feedbackBad: "Esta resposta não é boa",
    feedbackThanks: "Anotado.",
    feedbackSent: "Correção enviada.",
    feedbackCorrection: "Como é o certo? Alguém vai conferir.",
    feedbackSend: "Enviar",
    proposed: "Mudança proposta",
    consequences: "O que vai acontecer",
    requiresSecond: "Exige uma segunda pessoa: quem propôs não pode aprovar.",
    expiresIn: "Expira em {time}",
    reason: "Motivo",
    reasonPlaceholder: "Opcional; fica registrado na auditoria",
    approve: "Aprovar",
    reject: "Rejeitar",
    mayNotDecide: "Seu perfil não pode decidir sobre mudanças.",
    deciding: "Aguardando a confirmação do plano…",
    confirmed: "Confirmado",
    different: "Diferente do esperado",
    unknown: "Resultado desconhecido",
    rejected: "Rejeitado",
    refused: "Recusado",
    expired: "Expirado",
    actions: { rerun: "Reexecutar", hold: "Reter", release: "Liberar", cancel: "Cancelar" },
    roles: { viewer: "Leitor", operator: "Operador", supervisor: "Supervisor", admin: "Administrador" },
    degraded: "Serviço reduzido: {parts}.",
    parts: {
      model: "o modelo de linguagem está fora, a resposta é composta de fatos e citações",
      model_fallback: "outro modelo de linguagem respondeu",
      redis: "os limites de uso não são contados",
      budget: "o orçamento de hoje do modelo de linguagem acabou",
      embeddings: "os documentos são pesquisados só por palavras",
      translation: "a pergunta não pôde ser traduzida",
      tws: "o scheduler não responde, os dados podem estar desatualizados",
      langfuse: "os rastros não são gravados",
    },
    health: { ok: "Todos os sistemas respondem", degraded: "Serviço reduzido", down: "Fora de serviço", unreachable: "Sem conexão" },
    problems: {
      wrong_credentials: "Usuário ou senha incorretos.",
      rate_limited: "Muitas solicitações. Aguarde um momento e tente de novo.",
      not_permitted: "Seu perfil não pode fazer isso.",
      proposal_not_found: "Esta proposta não existe mais.",
      still_running: "Isto está demorando mais que o normal.",
      already_decided: "O que você disse já foi decidido.",
      unavailable: "Uma parte do serviço está fora. Tente de novo em instantes.",
      internal: "Algo falhou no servidor. O log tem a causa.",
      unreachable: "O servidor não pode ser alcançado. Verifique sua conexão.",
    },
  },
};

const listeners = new Set();

export function locale() {
  return document.documentElement.lang.startsWith("pt") ? "pt" : "en";
}

export function setLocale(next) {
  document.documentElement.lang = next === "pt" ? "pt-BR" : "en";
  localStorage.setItem("resync.language", next);
  applyWords(document);
  for (const listener of listeners) listener();
}

export function onLocaleChange(listener) {
  listeners.add(listener);
}

// The words under a dotted key, with {names} filled in; undefined where there are none.
export function words(key, values = {}) {
  const found = key.split(".").reduce((part, name) => (part && Object.hasOwn(part, name) ? part[name] : undefined), WORDS[locale()]);
  if (typeof found !== "string") return found;
  return found.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// Fills every element that names its words in data-i18n.
export function applyWords(root) {
  for (const element of root.querySelectorAll("[data-i18n]")) {
    element.textContent = words(element.dataset.i18n);
  }
}
