export { MailNotifier } from "./mail.js";
export { SmtpMailer } from "./smtp-mailer.js";
export { smtpServerOf } from "./smtp-server.js";
