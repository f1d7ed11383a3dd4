"""How to tell mail servers and answering machines from people, in the languages they write in.

Seen in lower case and without the accents of Latin letters.
"""

from __future__ import annotations

import re


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


# Who a mail server says it is.
SERVER = _any_of(
    r"mailer[-_. ]?daemon|post[-_. ]?master|\bmail[-_. ]?deliver|\bdelivery (?:subsystem|system|service)",
    r"mail ?daemon|mdaemon|mail (?:administrator|system|router)|system administrator|microsoft ?exchange",
    r"microsoft outlook|^daemon@|<daemon@|interscan|amavis",
    r"surfcontrol|returned mail|administrador|administrateur|listserv",
)

# What it puts into its subject.
FAILURE_SUBJECT = _any_of(
    r"undeliver|delivery (?:status|fail|notif|report|problem|error|delay|has)|unable to deliver|failure notice",
    r"(?:mail|message) (?:delivery|system error|status)|return(?:ed)? (?:mail|message|to sender)",
    r"failed (?:mail|deliver)|mail(?:ing)? (?:fail|error|not)",
    r"(?:non|not)[- ]?deliver|could not be delivered|delivery.{0,30}failed|rejected:",
    r"user unknown|unknown user|ndn:|warning: (?:message|could not send)|error sending your",
    # German, French, Spanish, Italian, Portuguese, Dutch
    r"unzustellbar|zustellbar|zustellung|non[- ]remis|echec|non recense|no entregad|no se (?:ha )?(?:podido|pudo)",
    r"mancato recapito|non recapitat|nao entreg|falha|onbestelbaar",
    # Russian, Japanese, Chinese
    r"недостав|не доставлен|не может быть|配信|配送|送信できません|エラー|退信",
)

# What it says, in a subject or below.
FAILURE = _any_of(
    r"(?<![\d.])[45]\d\d[ -]#?[45]\.\d{1,3}\.\d|\(#[45]\.\d\.\d",
    r"\b[45]\d\d[- ].{0,80}(?:user|mailbox|recipient|address|relay|host|spam)",
    r"undeliver|deliver\w* (?:fail|problem|error)|no (?:such )?(?:user|mailbox)|postponed|continue to try",
    r"(?:not|n't|never|unable to|failed to|failure|fail(?:ed|s)) (?:be |been |yet been )?deliver",
    r"(?:delivery|message|mail).{0,80}(?:failed|failure|fatal|rejected|returned|refused|aborted|not reach|delayed)",
    r"(?:delivery|message|mail).{0,80}bounc|(?:fatal|permanent|delivery|transient|following) errors?",
    r"did(?: not|n't) (?:reach|receive)|was rejected|failed for|could not (?:send|find)|not able to",
    r"(?:unknown|invalid|no such|illegal) (?:user|recipient|address|mailbox|host)|over ?quota|full mailbox",
    r"(?:user|recipient|host)\b.{0,20} unknown|mailbox (?:is )?full",
    r"unzustellbar|zugestellt|zustellung|n'a pas (?:pu )?etre|non remis|n'existe pas",
    r"no (?:se )?(?:ha )?(?:podido|pudo)|impossibile (?:recapitare|consegnare)",
    r"non (?:e stato|puo essere)|nao (?:foi|pode|existe)|не может быть",
    r"не удалось|送信できません|配信できません|失敗|届け|見つかりません|ありません|无法|退回",
)

# An automatic reply's subject.
ANSWER_SUBJECT = _any_of(
    r"^(?:re: ?)?\W*(?:auto(?:matic|mated|matisch\w*)?[- :]*(?:re(?:ply|sponse|spuesta)|antwo\w+|svar|mailer)?:",
    r"auto(?:matic|mated)?[- ](?:reply|response|acknowledge)|auto-?(?:reply|respon|antwort|svar)",
    r"out of (?:the )?office|(?:i am|i'm|on|away) .{0,20}(?:vacation|holiday|leave\b)|vacation\b|away from|absen[ct]",
    r"abwesen|automatische antwort|reponse automatique|en conge|respuesta automatica|fuera de (?:la )?oficina",
    r"risposta automatica|fuori (?:sede|ufficio)|resposta automatica|fora do escritorio|afwezig",
    r"automatisch antwoord|autosvar|fravaer|automaattinen|автоответ|автоматическ",
    r"自動(?:返信|応答)|不在|自动回复|自動回覆)",
)
