package receiver_test

import (
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"nirapod/alerts/receiver"
	"nirapod/internal/mailtest"
	"nirapod/safety"
)

var fire = receiver.Message{
	ID: "01J0000000000000000000TEST", Factory: "padma", Alert: "01JA", Step: "committee", Address: "rahima@" + mailtest.Domain, Language: "bn",
	Text: safety.Name{BN: "আগুন। গুদাম, নিচতলা। সবাই বের হন। যাচাই হয়নি। ১০:০২। পদ্মা", EN: "Fire. store, ground floor. Everyone out. Not verified. 10:02. Padma"},
	Made: time.Date(2026, 11, 26, 4, 2, 0, 0, time.UTC),
}

func TestALetterArrivesWhole(t *testing.T) {
	server := mailtest.New(t)
	r, err := receiver.NewMail(receiver.MailConfig{Host: server.Host, Port: server.Port, TLS: "none", From: "alarm@padma.test"}, "")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := r.Send(t.Context(), fire)
	if err != nil || answer == "" {
		t.Fatalf("answer %q, %v", answer, err)
	}
	letter, err := mail.ReadMessage(strings.NewReader(delivered(t, server)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(letter.Body))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(letter.Header.Get("Subject"))
	if err != nil || subject != fire.Text.BN {
		t.Errorf("subject %q, %v", subject, err)
	}
	if got := strings.ReplaceAll(string(body), "\r\n", "\n"); strings.TrimSpace(got) != fire.Text.BN+"\n\n"+fire.Text.EN {
		t.Errorf("body %q", got)
	}
	if id := letter.Header.Get("Message-ID"); id != "<"+fire.ID+"@nirapod>" {
		t.Errorf("Message-ID %s: a repeated letter would show twice", id)
	}
}

func delivered(t *testing.T, s *mailtest.Server) string {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if letters := s.Letters(); len(letters) > 0 {
			return letters[0]
		}
		if time.Now().After(deadline) {
			t.Fatal("no letter came")
		}
	}
}

func TestARecipientWhomNobodyKnowsIsNotTriedAgain(t *testing.T) {
	server := mailtest.New(t)
	cfg := receiver.MailConfig{Host: server.Host, Port: server.Port, TLS: "none", From: "alarm@padma.test"}
	r, err := receiver.NewMail(cfg, "")
	if err != nil {
		t.Fatal(err)
	}
	m := fire
	m.Address = mailtest.Unknown
	if _, err := r.Send(t.Context(), m); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("an unknown recipient: %v", err)
	}
	m.Address = "no address"
	if _, err := r.Send(t.Context(), m); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("no address: %v", err)
	}
	cfg.Port = 1
	if r, err = receiver.NewMail(cfg, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Send(t.Context(), fire); err == nil || errors.Is(err, safety.ErrInvalid) {
		t.Errorf("a server that is away: %v", err)
	}
}

func TestMailGoesInClearOnlyWithinTheMachine(t *testing.T) {
	for _, c := range []struct {
		cfg  receiver.MailConfig
		want bool
	}{
		{receiver.MailConfig{Host: "mail.example", Port: 25, TLS: "none", From: "a@b.test"}, false},
		{receiver.MailConfig{Host: "mail.example", Port: 587, TLS: "starttls", From: "a@b.test"}, true},
		{receiver.MailConfig{Host: "127.0.0.1", Port: 25, TLS: "none", From: "a@b.test"}, true},
		{receiver.MailConfig{Host: "mail.example", Port: 587, TLS: "", From: "a@b.test"}, false},
		{receiver.MailConfig{Host: "mail.example", Port: 587, TLS: "tls", From: "nobody"}, false},
	} {
		if _, err := receiver.NewMail(c.cfg, ""); (err == nil) != c.want {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}

// provider is a gateway for SMS over HTTP that answers as the test says.
func provider(t *testing.T, status int, answer string) (url string, got *http.Request) {
	t.Helper()
	got = new(http.Request)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		*got = *r
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func sms(t *testing.T, url string) receiver.Receiver {
	t.Helper()
	r, err := receiver.NewSMS(receiver.SMSConfig{
		URL: url, Fields: map[string]string{"msisdn": "{to}", "message": "{text}", "api_key": "{secret}"},
		Headers: map[string]string{"X-Key": "{secret}"}, Accepted: `"status":\s*"SUCCESS"`, Country: "880",
	}, "word", http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSMS(t *testing.T) {
	m := fire
	m.Address = "01711-000001"
	url, got := provider(t, 200, `{"status": "SUCCESS"}`)
	if _, err := sms(t, url).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if to, text := got.Form.Get("msisdn"), got.Form.Get("message"); to != "8801711000001" || text != fire.Text.BN {
		t.Errorf("to %q: %q", to, text)
	}
	if got.Form.Get("api_key") != "word" || got.Header.Get("X-Key") != "word" {
		t.Error("the provider does not know who asks")
	}
	for _, c := range []struct {
		name    string
		status  int
		answer  string
		address string
		forGood bool
	}{
		{"a refusal that looks like a yes", 200, `{"status": "INSUFFICIENT BALANCE"}`, m.Address, false},
		{"a provider in trouble", 503, "", m.Address, false},
		{"too fast", 429, "", m.Address, false},
		{"a wrong key", 401, "", m.Address, false},
		{"a wrong number", 400, "no such number", m.Address, true},
		{"no number", 200, `{"status": "SUCCESS"}`, "see reception", true},
	} {
		url, _ := provider(t, c.status, c.answer)
		m.Address = c.address
		if _, err := sms(t, url).Send(t.Context(), m); err == nil || errors.Is(err, safety.ErrInvalid) != c.forGood {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestTheAddressOfAProviderIsNotInErrors(t *testing.T) {
	_, err := sms(t, "http://127.0.0.1:1/secret-path").Send(t.Context(), receiver.Message{Address: "01711000001"})
	if err == nil || strings.Contains(err.Error(), "secret-path") || strings.Contains(err.Error(), "01711") {
		t.Errorf("%v", err)
	}
}

func TestAProgramKnowsWhoSpeaks(t *testing.T) {
	var id, at, signature string
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		id, at, signature = r.Header.Get(receiver.HeaderID), r.Header.Get(receiver.HeaderTime), r.Header.Get(receiver.HeaderSignature)
		body, _ = io.ReadAll(r.Body)
	}))
	defer s.Close()
	r := receiver.NewWebhook(receiver.WebhookConfig{URL: s.URL}, "shared", http.DefaultClient, func() time.Time { return time.Unix(1_795_000_000, 0) })
	if _, err := r.Send(t.Context(), fire); err != nil {
		t.Fatal(err)
	}
	if id != fire.ID || at != "1795000000" || signature != receiver.Sign("shared", at, body) || signature == receiver.Sign("guessed", at, body) {
		t.Errorf("id %s, at %s, signature %s", id, at, signature)
	}
	if text := string(body); !strings.Contains(text, `"factory_id":"padma"`) || strings.Contains(text, fire.Address) {
		t.Errorf("body %s", text)
	}
}

func TestATextIsCutBetweenWords(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat(fire.Text.BN+"। ", 4))
	short := receiver.Cut(long, 134)
	if n := len(utf16.Encode([]rune(short))); n > 134 || n < 110 {
		t.Errorf("%d units", n)
	}
	if words := strings.TrimSuffix(short, "…"); !strings.HasPrefix(long, words+" ") {
		t.Errorf("%q is no beginning of whole words", short)
	}
	if same := receiver.Cut(fire.Text.BN, 134); same != fire.Text.BN {
		t.Errorf("%q", same)
	}
}
