package notice_test

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"nirapod/alerts/notice"
	"nirapod/safety"
)

func law(t testing.TB) *notice.Law {
	t.Helper()
	l, err := notice.LoadLaw()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// paper returns a kind of notice of the shipped law.
func paper(t testing.TB, id string) notice.Paper {
	t.Helper()
	papers := law(t).Papers
	i := slices.IndexFunc(papers, func(k notice.Paper) bool { return k.ID == id })
	if i < 0 {
		t.Fatalf("no notice %q", id)
	}
	return papers[i]
}

func TestOnlyNotifiableKindsOpenNotices(t *testing.T) {
	l := law(t)
	want := []string{"fire", "ignition", "explosion", "fumes", "water", "collapse", "injury", "death"}
	var got []string
	for _, k := range l.Kinds {
		if l.Notifiable(k.ID) {
			got = append(got, k.ID)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("notifiable: got %v, want %v", got, want)
	}
	cases := []struct {
		hazard     safety.Hazard
		kind       string
		notifiable bool
	}{
		{safety.HazardFire, "fire", true},
		{safety.HazardGas, "fumes", true},
		{safety.HazardCrowd, "crowd", false},
		{safety.HazardExit, "exit", false},
		{safety.HazardHeat, "heat", false},
		{safety.HazardNoise, "noise", false},
		{safety.HazardSystem, "system", false},
		{"invented", "system", false},
	}
	for _, c := range cases {
		if kind := l.KindOf(c.hazard); kind != c.kind || l.Notifiable(kind) != c.notifiable {
			t.Errorf("%s: kind %s, notifiable %t", c.hazard, kind, l.Notifiable(kind))
		}
	}
	if kind := l.KindOf(safety.HazardGas, safety.HazardFire); kind != "fire" {
		t.Errorf("gas and fire together are %s, want fire", kind)
	}
}

func TestCompatibleHazards(t *testing.T) {
	l := law(t)
	cases := []struct {
		a, b safety.Hazard
		want bool
	}{
		{safety.HazardFire, safety.HazardFire, true},
		{safety.HazardFire, safety.HazardGas, true},
		{safety.HazardGas, safety.HazardFire, true},
		{safety.HazardFire, safety.HazardExit, false},
		{safety.HazardCrowd, safety.HazardExit, false},
		{safety.HazardExit, safety.HazardExit, true},
	}
	for _, c := range cases {
		if got := l.Compatible(c.a, c.b); got != c.want {
			t.Errorf("%s with %s: got %t, want %t", c.a, c.b, got, c.want)
		}
	}
}

// mapFS is the law data that ships, to be spoilt.
func mapFS(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range []string{"kinds.yaml", "clocks.yaml", "notices.yaml", "recipients.yaml", "calendar.yaml", "fields.yaml"} {
		data, err := fs.ReadFile(os.DirFS("law"), name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	return files
}

func TestLawDataMistakes(t *testing.T) {
	cases := []struct{ name, file, old, with, want string }{
		{"an unknown recipient", "clocks.yaml", "recipients: [labour_court]", "recipients: [high_court]", `no recipient "high_court"`},
		{"two deadlines", "clocks.yaml", "deadline: {days: 3}", "deadline: {days: 3, immediate: true}", "exactly one"},
		{"a negative deadline", "clocks.yaml", "deadline: {days: 3}", "deadline: {days: -3}", "exactly one"},
		{"a crowd that is filed", "clocks.yaml", "kinds: [death]", "kinds: [crowd]", `"crowd" is no notifiable kind`},
		{"a date that is none", "clocks.yaml", "from: 2025-11-17", "from: 17-11-2025", "no date"},
		{"an unknown key", "clocks.yaml", "    met_by: receipt", "    meet_by: receipt", "meet_by"},
		{"a weekday that is none", "calendar.yaml", "[friday, saturday]", "[friday, shonibar]", `no weekday "shonibar"`},
		{"a paper nobody can send", "notices.yaml", "    by: machine", "    by: post", "neither machine nor person"},
		{"a clock on no paper", "notices.yaml", "clauses: [bla-80-notice, ord65-80-notice]", "clauses: [bla-80-notice]", "no notice carries the clocks of ord65-80-notice"},
		{"a clock on two papers", "notices.yaml", "clauses: [bla-81-occurrence]", "clauses: [bla-81-occurrence, bla-80-notice]", "carried by s80 already"},
		{"a clause that is none", "notices.yaml", "clauses: [blr-70-minor]", "clauses: [blr-71-minor]", `no clause "blr-71-minor"`},
		{"a paper of another regime", "notices.yaml", "regime: epz", "regime: labour_act", "is of regime epz"},
		{"a paper for a crowd", "notices.yaml", "kinds: [injury]", "kinds: [crowd]", `"crowd" is no notifiable kind`},
		{"a paper to nobody", "notices.yaml", "addressee: zone_authority", "addressee: zone", `no recipient "zone"`},
		{"a paper of no day", "notices.yaml", "from: 2013-07-22", "from: 2013", "no date"},
		{"a hazard of no kind", "kinds.yaml", "{id: gas, kind: fumes", "{id: gas, kind: smell", `no kind "smell"`},
		{"a one-sided pair", "kinds.yaml", "kind: fumes, with: [fire]", "kind: fumes, with: []", "not the other way round"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			files := mapFS(t)
			text := string(files[c.file].Data)
			if !strings.Contains(text, c.old) {
				t.Fatalf("%s has no %q to spoil", c.file, c.old)
			}
			files[c.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, c.old, c.with, 1))}
			_, err := notice.LoadLawFrom(files)
			if !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want one that says %s", err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), "law/"+c.file+":") {
				t.Errorf("%v names no file and line", err)
			}
		})
	}
}

func TestEveryClauseIsMarkedUnverified(t *testing.T) {
	for _, c := range law(t).Clauses {
		if c.Verified {
			t.Errorf("%s claims to be verified; nobody has read it in the gazette", c.ID)
		}
		if c.Source == "" || c.Confidence == "" {
			t.Errorf("%s has no source or confidence", c.ID)
		}
	}
}
