package app

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"nirapod/alerts/receiver"
)

// ReceiversConfig says how people and programs are written to. A receiver that
// is not named is not configured.
type ReceiversConfig struct {
	Mail    *receiver.MailConfig    `yaml:"mail"`
	SMS     *receiver.SMSConfig     `yaml:"sms"`
	Webhook *receiver.WebhookConfig `yaml:"webhook"`
}

// check names what is wrong before a secret is read. Alarms go to other machines
// by TLS only.
func (c ReceiversConfig) check(mistake func(path, format string, args ...any)) {
	closed := func(path, address, host string) {
		u, err := url.Parse(address)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			mistake(path, "%q: want https://host/path", address)
		case u.Scheme == "http" && !isLoopback(u.Hostname()):
			mistake(path, "%s is another machine: names and secrets would go in clear; use https", host)
		}
	}
	if c.Mail != nil {
		if _, err := receiver.NewMail(*c.Mail, ""); err != nil {
			mistake("receivers.mail", "%v", err)
		}
	}
	if c.SMS != nil {
		closed("receivers.sms.url", c.SMS.URL, "the provider")
		if _, err := receiver.NewSMS(*c.SMS, "", nil); err != nil {
			mistake("receivers.sms", "%v", err)
		}
		if c.SMS.SecretFile == "" {
			mistake("receivers.sms.secret_file", "is missing: name the file that holds the provider's key alone")
		}
	}
	if c.Webhook != nil {
		closed("receivers.webhook.url", c.Webhook.URL, "the program's")
		if c.Webhook.SecretFile == "" {
			mistake("receivers.webhook.secret_file", "is missing: name the file that holds the shared secret alone")
		}
	}
}

// Build makes the receivers that are named; it reads their secrets.
func (c ReceiversConfig) Build() (all []receiver.Receiver, err error) {
	client := &http.Client{Timeout: 10 * time.Second}
	add := func(name, file string, make func(secret string) (receiver.Receiver, error)) {
		secret := ""
		if err == nil && file != "" {
			secret, err = readSecret(file)
		}
		if err != nil {
			return
		}
		r, failed := make(secret)
		if failed != nil {
			err = fmt.Errorf("receivers.%s: %w", name, failed)
			return
		}
		all = append(all, r)
	}
	if m := c.Mail; m != nil {
		add("mail", m.PasswordFile, func(secret string) (receiver.Receiver, error) { return receiver.NewMail(*m, secret) })
	}
	if s := c.SMS; s != nil {
		add("sms", s.SecretFile, func(secret string) (receiver.Receiver, error) { return receiver.NewSMS(*s, secret, client) })
	}
	if w := c.Webhook; w != nil {
		add("webhook", w.SecretFile, func(secret string) (receiver.Receiver, error) {
			return receiver.NewWebhook(*w, secret, client, time.Now), nil
		})
	}
	return all, err
}
