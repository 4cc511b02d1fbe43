/** HL7's nine AuditEvent examples, by name: the element that is refused, if one is. */
export const auditExamples: Record<string, string | undefined> = {
  "AuditEvent-example": "AuditEvent.agent",
  "AuditEvent-example-disclosure": undefined,
  "AuditEvent-example-error": undefined,
  "AuditEvent-example-login": "AuditEvent.entity",
  "AuditEvent-example-logout": "AuditEvent.entity",
  "AuditEvent-example-media": undefined,
  "AuditEvent-example-pixQuery": undefined,
  "AuditEvent-example-rest": undefined,
  "AuditEvent-example-search": undefined,
};
