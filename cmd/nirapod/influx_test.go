package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirapod/app/demo"
	"nirapod/safety"
)

func TestInfluxSetupShowsTheOperatorsTokenAndSaysWhatIsMissing(t *testing.T) {
	var shown string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"code":"not found","message":"organization name \"padma\" not found"}`))
	}))
	defer server.Close()
	name := configure(t, string(demo.Site))
	operator := filepath.Join(t.TempDir(), "operator")
	if err := os.WriteFile(operator, []byte("token-of-the-operator\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	setup := []string{"influx", "setup", "-c", name, "-operator-token", operator}
	if _, err := command(t, "", setup...); !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), "series.kind is tsdb") {
		t.Errorf("without InfluxDB: %v", err)
	}
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString("series: {kind: influx, url: \"" + server.URL + "\", org: padma, bucket: nirapod, retention: 2160h, token_file: /nowhere/token}\n")
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := command(t, "", setup...)
	if err == nil || !strings.Contains(err.Error(), "influx org create -n padma") || shown != "Token token-of-the-operator" {
		t.Errorf("%q was shown, printed %q: %v", shown, out, err)
	}
	if strings.Contains(out+err.Error(), "token-of-the-operator") {
		t.Error("the operator's token is printed")
	}
}
