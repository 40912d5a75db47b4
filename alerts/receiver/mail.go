package receiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/wneessen/go-mail"

	"nirapod/safety"
)

// MailConfig is a mail server that takes messages for others.
type MailConfig struct {
	Host string `yaml:"host"`
	Port int    `yaml:"port"`
	// TLS is starttls, tls (from the first byte), or none, which only a server
	// on this machine may have.
	TLS  string `yaml:"tls"`
	User string `yaml:"user"` // "" = the server asks for none
	From string `yaml:"from"`
	// PasswordFile holds the password alone; "" = none. Whoever builds the
	// receiver reads it.
	PasswordFile string `yaml:"password_file"`
}

// NewMail returns a receiver for e-mail addresses.
func NewMail(cfg MailConfig, password string) (Receiver, error) {
	options, err := cfg.options(password)
	if err != nil {
		return Receiver{}, err
	}
	if _, err := mail.NewClient(cfg.Host, options...); err != nil {
		return Receiver{}, fmt.Errorf("host %q: %w: %w", cfg.Host, err, safety.ErrInvalid)
	}
	if err := mail.NewMsg().From(cfg.From); err != nil {
		return Receiver{}, fmt.Errorf("from %q: want an e-mail address: %w", cfg.From, safety.ErrInvalid)
	}
	send := func(ctx context.Context, m Message) (string, error) {
		letter, err := compose(cfg.From, m)
		if err != nil {
			return "", err
		}
		client, err := mail.NewClient(cfg.Host, options...) // one holds one connection
		if err != nil {
			return "", err
		}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		if err := client.DialAndSendWithContext(ctx, letter); err != nil && !letter.IsDelivered() {
			return "", undelivered(err)
		}
		return letter.ServerResponse(), nil
	}
	return Receiver{Name: "mail", By: ByMail, Send: send}, nil
}

func (cfg MailConfig) options(password string) ([]mail.Option, error) {
	options := []mail.Option{mail.WithPort(cfg.Port), mail.WithTimeout(timeout), mail.WithoutNoop()}
	switch cfg.TLS {
	case "starttls":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case "tls":
		options = append(options, mail.WithSSL())
	case "none":
		if ip, err := netip.ParseAddr(cfg.Host); cfg.Host != "localhost" && (err != nil || !ip.IsLoopback()) {
			return nil, fmt.Errorf("tls none: %s is another machine, alarms and passwords would go in clear: %w", net.JoinHostPort(cfg.Host, fmt.Sprint(cfg.Port)), safety.ErrInvalid)
		}
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, fmt.Errorf("tls %q: want starttls, tls or none: %w", cfg.TLS, safety.ErrInvalid)
	}
	if cfg.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(cfg.User), mail.WithPassword(password))
	}
	return options, nil
}

// compose writes the letter in both languages. Its Message-ID is that of the
// message, so that a repeated one shows once.
func compose(from string, m Message) (*mail.Msg, error) {
	letter := mail.NewMsg()
	if err := errors.Join(letter.From(from), letter.To(m.Address)); err != nil {
		return nil, fmt.Errorf("%w: %w", bare(err), safety.ErrInvalid)
	}
	letter.Subject(Cut(m.Short(), 120))
	letter.SetMessageIDWithValue(m.ID + "@nirapod")
	letter.SetDateWithValue(m.Made)
	letter.SetImportance(mail.ImportanceUrgent)
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetBodyString(mail.TypeTextPlain, m.Text.BN+"\r\n\r\n"+m.Text.EN+"\r\n")
	return letter, nil
}

// undelivered says whether to try again: only a recipient that the server will
// never take is not.
func undelivered(err error) error {
	if e, ok := errors.AsType[*mail.SendError](err); ok && e.Reason == mail.ErrSMTPRcptTo && !e.IsTemp() {
		return fmt.Errorf("the mail server knows no such recipient: %w", safety.ErrInvalid)
	}
	return err
}
