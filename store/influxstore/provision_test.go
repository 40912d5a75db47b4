package influxstore

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/domain"

	"nirapod/safety"
)

var update = flag.Bool("update", false, "write the golden files anew")

func planFor(t *testing.T, url string) Plan {
	return Plan{
		URL: url, Org: "padma", OperatorToken: operator, TokenFile: filepath.Join(t.TempDir(), "influx.token"),
		Readings: Bucket{Name: "nirapod", Retain: 90 * 24 * time.Hour},
		Minutes:  Bucket{Name: "nirapod_1m", Retain: 5 * 365 * 24 * time.Hour},
	}
}

// provisioned runs the plan and compares what was asked with the golden file.
func provisioned(t *testing.T, f *influx2, p Plan, golden string, changes int) {
	t.Helper()
	f.asked.Reset()
	done, err := Provision(t.Context(), p)
	if err != nil || len(done) != changes {
		t.Fatalf("%s: %d changes (%q), want %d: %v", golden, len(done), done, changes, err)
	}
	if strings.Contains(strings.Join(done, " "), held(t, p)) {
		t.Errorf("%s: the token is told: %q", golden, done)
	}
	name := filepath.Join("testdata", "provision", golden+".golden")
	if *update {
		if err := os.WriteFile(name, f.asked.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(f.asked.Bytes(), want) {
		t.Errorf("%s: the requests were\n%s", name, f.asked.Bytes())
	}
}

func held(t *testing.T, p Plan) string {
	t.Helper()
	info, err := os.Stat(p.TokenFile)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("token file: %v %v", info, err)
	}
	text, err := os.ReadFile(p.TokenFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func TestProvision(t *testing.T) {
	f := newInflux2(t)
	p := planFor(t, f.URL)
	provisioned(t, f, p, "fresh", 5)
	first := held(t, p)
	provisioned(t, f, p, "again", 0)
	f.hashed = true
	f.auths[0].Token = nil
	provisioned(t, f, p, "again-hashed", 0)
	f.hashed = false

	p.Readings.Retain, p.Minutes.Retain = 180*24*time.Hour, 0
	provisioned(t, f, p, "longer", 2)

	p.Readings.Retain = 30 * 24 * time.Hour
	if _, err := Provision(t.Context(), p); err == nil || !strings.Contains(err.Error(), "-shorten") {
		t.Errorf("readings forgotten unasked: %v", err)
	}
	p.Shorten = true
	provisioned(t, f, p, "shorter", 1)

	f.tasks[1].Flux = "option task = {name: \"x\", every: 1m}\n"
	*f.tasks[0].Status = domain.TaskStatusTypeInactive
	provisioned(t, f, p, "tasks-changed", 2)

	if err := os.Remove(p.TokenFile); err != nil {
		t.Fatal(err)
	}
	provisioned(t, f, p, "token-lost", 2)
	if second := held(t, p); second == first || f.knows("Token "+first) || !f.knows("Token "+second) {
		t.Errorf("the lost token %s still opens, or the new %s does not", first, second)
	}
}

// Whatever stands in the file or at the server instead of the right token gives
// way to a new one.
func TestProvisionReplacesWhatIsWider(t *testing.T) {
	for name, spoil := range map[string]func(f *influx2, p Plan) error{
		"the operator's token in the file": func(_ *influx2, p Plan) error { return os.WriteFile(p.TokenFile, []byte(operator), 0o600) },
		"an empty file":                    func(_ *influx2, p Plan) error { return os.WriteFile(p.TokenFile, nil, 0o600) },
		"a wider token": func(f *influx2, _ Plan) error {
			more := append(*f.auths[0].Permissions, domain.Permission{Action: "write", Resource: domain.Resource{Type: "tasks"}})
			f.auths[0].Permissions = &more
			return nil
		},
		"one switched off": func(f *influx2, _ Plan) error {
			off := domain.AuthorizationUpdateRequestStatusInactive
			f.auths[0].Status = &off
			return nil
		},
		"a hash of another": func(f *influx2, p Plan) error {
			f.auths[0].Token = nil
			return os.WriteFile(p.TokenFile, []byte("of-another-server"), 0o600)
		},
	} {
		f := newInflux2(t)
		p := planFor(t, f.URL)
		if _, err := Provision(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		first := held(t, p)
		if err := spoil(f, p); err != nil {
			t.Fatal(err)
		}
		done, err := Provision(t.Context(), p)
		if err != nil || len(done) != 2 || len(f.auths) != 1 || held(t, p) == first || !f.knows("Token "+held(t, p)) || f.knows("Token "+first) {
			t.Errorf("%s: did %q, %d tokens: %v", name, done, len(f.auths), err)
		}
	}
}

func TestProvisionSaysWhatToDo(t *testing.T) {
	f := newInflux2(t)
	old := httptest.NewServer(http.NotFoundHandler()) // as InfluxDB 1.8 answers
	defer old.Close()
	for name, c := range map[string]struct {
		change func(*Plan)
		want   string
	}{
		"wrong token":      {func(p *Plan) { p.OperatorToken = "guess" }, "the operator token is missing or wrong"},
		"no organisation":  {func(p *Plan) { p.Org = "jamuna" }, "influx org create -n jamuna"},
		"InfluxDB 1.8":     {func(p *Plan) { p.URL = old.URL }, "CREATE DATABASE"},
		"nobody there":     {func(p *Plan) { p.URL = "http://127.0.0.1:1" }, "see that InfluxDB runs there"},
		"no place":         {func(p *Plan) { p.TokenFile = "/proc/nowhere/token" }, "/proc/nowhere"},
		"no file":          {func(p *Plan) { p.TokenFile = "" }, "the token file is missing"},
		"one bucket":       {func(p *Plan) { p.Minutes.Name = p.Readings.Name }, "a bucket each"},
		"system bucket":    {func(p *Plan) { p.Minutes.Name = "_tasks" }, `bucket "_tasks"`},
		"quoted bucket":    {func(p *Plan) { p.Minutes.Name = `a"b` }, "no name for a bucket"},
		"minutes too soon": {func(p *Plan) { p.Readings.Retain = 8 * 24 * time.Hour }, "want at least 216h0m0s"},
		"odd retention":    {func(p *Plan) { p.Minutes.Retain = time.Minute }, "at least 1h"},
	} {
		p := planFor(t, f.URL)
		c.change(&p)
		_, err := Provision(t.Context(), p)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), p.OperatorToken) {
			t.Errorf("%s: %v", name, err)
		}
		if _, missing := os.Stat(p.TokenFile); !errors.Is(missing, fs.ErrNotExist) {
			t.Errorf("%s: left a token file: %v", name, missing)
		}
	}
	if len(f.auths) != 0 {
		t.Errorf("a token was made that nobody holds: %+v", f.auths)
	}
	p := planFor(t, f.URL)
	p.Org, p.TokenFile = "", ""
	if _, err := Provision(t.Context(), p); !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), "organisation") || !strings.Contains(err.Error(), "token file") {
		t.Errorf("all mistakes at once: %v", err)
	}
}
