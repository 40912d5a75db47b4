package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"nirapod/app"
	"nirapod/safety"
)

func load(t *testing.T, text, roles string) (app.Config, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "nirapod.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	all := app.AllRoles()
	if roles != "" {
		var err error
		if all, err = app.ParseRoles(roles); err != nil {
			t.Fatal(err)
		}
	}
	return app.Load(name, all)
}

func TestSampleIsValidAndShowsTheDefaults(t *testing.T) {
	got, err := load(t, string(app.Sample), "")
	if err != nil {
		t.Fatal(err)
	}
	want := app.Defaults()
	want.Version, want.DataDir, want.Sites = got.Version, got.DataDir, got.Sites
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the sample says %+v, the defaults are %+v", got, want)
	}
}

func TestAllMistakesComeAtOnceWithTheirLines(t *testing.T) {
	_, err := load(t, `version: 2
mode: prodction
sites: []
broker: {listen: nowhere}
http: {listen: "127.0.0.1:8080", https: true}
series: {block: 1ms, retention: -5s}
`, "ingest,alerts,dashboard")
	if !errors.Is(err, safety.ErrInvalid) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		":1: version", `:2: mode: "prodction"`, ":3: sites", `:4: broker.listen: "nowhere"`, ":5: http.https",
		":6: series.block", ":6: series.retention", "data_dir: is missing", "broker.url: is missing", "desk.url: is missing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
}

func TestMistakesInReceivers(t *testing.T) {
	_, err := load(t, strings.Replace(string(app.Sample), "receivers: {}", "receivers:", 1)+`
  mail: {host: mail.example, port: 25, tls: none, from: a@b.test}
  sms: {url: "http://sms.example/send", fields: {text: "{text}"}, accepted: "("}
  webhook: {url: nowhere}
`, "ingest,alerts,dashboard")
	if !errors.Is(err, safety.ErrInvalid) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		"receivers.mail: tls none: mail.example:25 is another machine", "receivers.sms.url: the provider is another machine", "receivers.sms: accepted",
		"receivers.sms.secret_file: is missing", `receivers.webhook.url: "nowhere"`, "receivers.webhook.secret_file: is missing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
}

func TestSplitsThatTheStoresDoNotAllow(t *testing.T) {
	text := string(app.Sample)
	text = strings.Replace(text, `url: ""                # default: the broker`, `url: tcp://127.0.0.1:1883 #`, 1)
	text = strings.Replace(text, `url: ""                # default: the desk`, `url: http://127.0.0.1:8090 #`, 1)
	for roles, allowed := range map[string]bool{
		"broker": true, "desk": true, "ingest,dashboard": true, "alerts": true, "broker,ingest,alerts,dashboard,desk": true,
		"ingest": false, "dashboard": false, "dashboard,alerts": false,
	} {
		if _, err := load(t, text, roles); (err == nil) != allowed {
			t.Errorf("roles %s: allowed %v, want %v: %v", roles, err == nil, allowed, err)
		}
	}
	if _, err := app.ParseRoles("ingest,cook"); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("an unknown role: %v", err)
	}
}

func TestBrokerForOthersNeedsACertificate(t *testing.T) {
	open := strings.Replace(string(app.Sample), "listen: 127.0.0.1:1883", "listen: 0.0.0.0:1883", 1)
	if _, err := load(t, open, ""); err == nil || !strings.Contains(err.Error(), "in clear") {
		t.Errorf("a broker that others reach in clear: %v", err)
	}
	secured := strings.Replace(open, `tls_cert: ""`, `tls_cert: cert.pem`, 1)
	if _, err := load(t, secured, ""); err == nil || !strings.Contains(err.Error(), "belong together") {
		t.Errorf("a certificate without its key: %v", err)
	}
	if _, err := load(t, strings.Replace(secured, `tls_key: ""`, `tls_key: key.pem`, 1), ""); err != nil {
		t.Errorf("with both: %v", err)
	}
}
