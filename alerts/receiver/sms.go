package receiver

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"nirapod/safety"
)

// SMSConfig is a provider's HTTP door.
type SMSConfig struct {
	URL string `yaml:"url"`
	// Fields of the form that is posted; {to}, {text} and {secret} are filled in.
	Fields  map[string]string `yaml:"fields"`
	Headers map[string]string `yaml:"headers"` // {secret} is filled in
	// Accepted is a regular expression that the answer of a taken message
	// matches: many providers answer 200 to a refusal too.
	Accepted   string `yaml:"accepted"`
	SecretFile string `yaml:"secret_file"`  // holds the provider's key alone; read by whoever builds the receiver
	Country    string `yaml:"country_code"` // put in place of the leading 0 of a number, such as 880; "" = numbers stay
}

// maxSegments bounds a text: 134 characters of UCS-2 in two segments, 67 each
// (3GPP TS 23.040). Longer ones come late or in pieces.
const maxSegments = 134

// NewSMS returns a receiver for telephone numbers. secret is the provider's
// password or key.
func NewSMS(cfg SMSConfig, secret string, client *http.Client) (Receiver, error) {
	accepted, err := regexp.Compile(cfg.Accepted)
	if err != nil || cfg.Accepted == "" {
		return Receiver{}, fmt.Errorf("accepted %q: want a regular expression that the answer to a taken message matches: %w", cfg.Accepted, safety.ErrInvalid)
	}
	if !slices.ContainsFunc(slices.Collect(maps.Values(cfg.Fields)), func(v string) bool { return strings.Contains(v, "{to}") }) {
		return Receiver{}, fmt.Errorf("fields: none holds {to}, the number: %w", safety.ErrInvalid)
	}
	send := func(ctx context.Context, m Message) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		req, err := smsRequest(ctx, cfg, secret, m)
		if err != nil {
			return "", err
		}
		answer, err := do(client, req)
		if err == nil && !accepted.MatchString(answer) {
			return "", fmt.Errorf("the provider did not say that it took it: %.200q", answer)
		}
		return answer, err
	}
	return Receiver{Name: "sms", By: ByPhone, Send: send}, nil
}

func smsRequest(ctx context.Context, cfg SMSConfig, secret string, m Message) (*http.Request, error) {
	to, err := dial(m.Address, cfg.Country)
	if err != nil {
		return nil, err
	}
	fill := strings.NewReplacer("{to}", to, "{text}", Cut(m.Short(), maxSegments), "{secret}", secret)
	form := url.Values{}
	for name, value := range cfg.Fields {
		form.Set(name, fill.Replace(value))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, cfg.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range cfg.Headers {
		req.Header.Set(name, fill.Replace(value))
	}
	return req, nil
}

var notDigits = regexp.MustCompile(`[\s()-]`)

// dial writes a number as the provider wants it.
func dial(number, country string) (string, error) {
	n := strings.TrimPrefix(notDigits.ReplaceAllString(number, ""), "+")
	if len(n) < 10 || strings.ContainsFunc(n, func(r rune) bool { return r < '0' || r > '9' }) {
		return "", fmt.Errorf("the number has to have ten digits or more and nothing else: %w", safety.ErrInvalid)
	}
	if country != "" && strings.HasPrefix(n, "0") {
		n = country + strings.TrimPrefix(n, "0")
	}
	return n, nil
}

// Cut shortens a text to at most n UTF-16 units, as a network counts them, at
// the end of a word. A conjunct is never torn apart: words are whole.
func Cut(text string, n int) string {
	if len(utf16.Encode([]rune(text))) <= n {
		return text
	}
	out := ""
	for word := range strings.FieldsSeq(text) {
		longer := strings.TrimSpace(out + " " + word)
		if len(utf16.Encode([]rune(longer)))+1 > n {
			break
		}
		out = longer
	}
	return out + "…"
}
