package desk_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"nirapod/safety"
)

// ulid returns the nth id of the tests.
func ulid(n int) string { return fmt.Sprintf("01JD8Z3V5N%016d", n) }

// told is a signal about the nth incident of padma.
func told(n int, change func(*safety.Signal)) safety.Filing {
	f := signal()
	f.ID, f.Signal.Exercise = ulid(1000+n), false
	f.Signal.ID, f.Signal.IncidentID = f.ID, ulid(n)
	f.Signal.Confidence = "unresolved"
	if change != nil {
		change(f.Signal)
	}
	return f
}

// noticed is a notice about the nth incident of padma.
func noticed(n int, change func(*safety.Notice)) safety.Filing {
	f := notice()
	f.ID = ulid(2000 + n)
	f.Notice.ID, f.Notice.IncidentID = f.ID, ulid(n)
	if change != nil {
		change(f.Notice)
	}
	return f
}

func (r *running) file(filings ...safety.Filing) {
	r.t.Helper()
	for _, f := range filings {
		path := "/v1/signals"
		if f.Notice != nil {
			path = "/v1/notices"
		}
		r.receipt(path, encode(r.t, f))
	}
}

func answer[T any](r *running, method, path, token, body string) T {
	r.t.Helper()
	var v T
	status, text := r.do(method, path, token, body)
	if err := json.Unmarshal([]byte(text), &v); status != 200 || err != nil {
		r.t.Fatalf("%s %s: %d %s %v", method, path, status, text, err)
	}
	return v
}

type casePage struct {
	Items []safety.Case `json:"items"`
	Next  *string       `json:"next"`
}

func (r *running) cases(token string) []safety.Case {
	r.t.Helper()
	return answer[casePage](r, "GET", "/v1/cases", token, "").Items
}

func due(at time.Time) func(*safety.Notice) {
	return func(n *safety.Notice) {
		n.Clocks = []safety.Clock{
			{Recipient: "dife_office", DueAt: noon.Add(-time.Hour)}, // this desk's receipt ends it
			{Recipient: "police", DueAt: noon.Add(-time.Hour), MetAt: &noon},
			{Recipient: "inspector", DueAt: at.Add(time.Hour)},
			{Recipient: "fire_service", DueAt: at},
		}
	}
}

func TestOneCasePerIncident(t *testing.T) {
	r := serve(t, t.TempDir())
	place := []safety.Name{{BN: "গুদাম", EN: "store"}}
	r.file(told(1, func(s *safety.Signal) { s.Confidence = "call_point" }), noticed(1, func(n *safety.Notice) {
		due(noon.Add(time.Minute))(n)
		n.Body.Place, n.IncidentKind = place, "fumes"
	}))
	got := r.cases(officerToken)
	if len(got) != 1 {
		t.Fatalf("cases %+v", got)
	}
	c := got[0]
	if c.IncidentID != ulid(1) || c.FactoryID != "padma" || c.Factory.BN != "পদ্মা" || c.Office != "gazipur" || c.IncidentKind != "fumes" ||
		c.Exercise || c.Demo || c.Urgency != safety.UrgencyConfirmed || !slices.Equal(c.Place, place) || c.SeenBy != "" || c.SeenAt != nil {
		t.Errorf("case %+v", c)
	}
	if c.DueAt == nil || !c.DueAt.Equal(noon.Add(time.Minute)) {
		t.Errorf("due %v", c.DueAt)
	}
	if f := c.Filings; len(f) != 2 || f[0].Kind != "signal" || f[0].NoticeKind != "" || f[1].Kind != "notice" || f[1].NoticeKind != "immediate" ||
		f[1].ReceiptNumber == f[0].ReceiptNumber || !c.ReceivedAt.Equal(f[0].ReceivedAt) {
		t.Errorf("filings %+v", f)
	}
	second := noticed(1, nil)
	second.Version = 2
	r.file(second)
	if f := r.cases(officerToken)[0].Filings; len(f) != 2 || f[1].Version != 2 {
		t.Errorf("after a new version: %+v", f)
	}
}

// A drill never stands above a fire; then what presses most is on top.
func TestOrderOfTheQueue(t *testing.T) {
	r := serve(t, t.TempDir())
	exercise := func(s *safety.Signal) { s.Exercise, s.Confirmed = true, true }
	callPoint := func(s *safety.Signal) { s.Confidence = "call_point" }
	r.file(
		told(1, exercise),
		told(2, nil),
		told(3, func(s *safety.Signal) { s.Confidence = "a word of a newer server" }),
		told(4, callPoint),
		noticed(5, nil), // confirmed, no clock
		noticed(6, due(noon.Add(2*time.Hour))),
		noticed(7, due(noon.Add(time.Hour))),
		told(8, callPoint),
		noticed(9, due(noon.Add(time.Hour))),
	)
	want := []int{7, 9, 6, 5, 4, 8, 2, 3, 1}
	var got []int
	for _, c := range r.cases(officerToken) {
		got = append(got, number(c.IncidentID))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func number(id string) (n int) {
	_, _ = fmt.Sscanf(id, "01JD8Z3V5N%d", &n)
	return n
}

func TestPagesOfCases(t *testing.T) {
	r := serve(t, t.TempDir())
	const n = 450
	for i := range n {
		r.file(told(i, func(s *safety.Signal) { s.Confidence = []string{"call_point", "unresolved"}[i%2] }))
	}
	seen := map[string]bool{}
	path, pages := "/v1/cases", 0
	for path != "" {
		page := answer[casePage](r, "GET", path, officerToken, "")
		for _, c := range page.Items {
			seen[c.IncidentID] = true
		}
		pages++
		if path = ""; page.Next != nil {
			path = "/v1/cases?cursor=" + *page.Next
		}
	}
	if len(seen) != n || pages != 3 {
		t.Errorf("%d cases on %d pages", len(seen), pages)
	}
}

func TestAnExerciseBesideARealCase(t *testing.T) {
	r := serve(t, t.TempDir())
	drill := told(1, func(s *safety.Signal) { s.Exercise = true })
	drill.ID = ulid(3001)
	drill.Signal.ID = drill.ID
	r.file(drill)
	path := "/v1/cases/" + ulid(1)
	look := path + "/seen"
	r.file(told(1, nil))
	if got := r.cases(officerToken); len(got) != 2 || got[0].Exercise || !got[1].Exercise {
		t.Fatalf("cases %+v", got)
	}
	type file struct{ Case safety.Case }
	if got := answer[file](r, "GET", path, officerToken, ""); got.Case.Exercise {
		t.Errorf("the drill comes before the fire: %+v", got)
	}
	if got := answer[file](r, "GET", path+"?exercise=true", officerToken, ""); !got.Case.Exercise {
		t.Errorf("asked for the drill: %+v", got)
	}
	// Who looked at a drill has not seen the fire that it turned out to be.
	if status, text := r.do("POST", look, officerToken, `{"officer":"Rahima"}`); status != http.StatusConflict {
		t.Errorf("%d %s", status, text)
	}
	answer[safety.Case](r, "POST", look+"?exercise=true", officerToken, `{"officer":"Rahima"}`)
	if got := r.cases(officerToken); got[0].SeenBy != "" || got[1].SeenBy != "Rahima" {
		t.Errorf("seen: %+v", got)
	}
}

func TestTheFirstToLookStays(t *testing.T) {
	dir := t.TempDir()
	r := serve(t, dir)
	r.file(told(1, nil))
	look := "/v1/cases/" + ulid(1) + "/seen"
	names := []string{"রহিমা", "Karim", "Salma"}
	firsts := make(chan string, 30)
	var wg sync.WaitGroup
	for i := range cap(firsts) {
		wg.Go(func() {
			firsts <- answer[safety.Case](r, "POST", look, officerToken, `{"officer":"`+names[i%3]+`"}`).SeenBy
		})
	}
	wg.Wait()
	close(firsts)
	first := <-firsts
	for other := range firsts {
		if other != first {
			t.Errorf("first is %s and %s", first, other)
		}
	}
	r.stop()
	r = serve(t, dir)
	if got := r.cases(officerToken)[0]; got.SeenBy != first || got.SeenAt == nil {
		t.Errorf("after a restart %+v", got)
	}
	db := open(t, dir)
	var looks int
	if err := db.QueryRow(`SELECT count(*) FROM looks`).Scan(&looks); err != nil || looks != 3 {
		t.Errorf("%d looks on record, %v", looks, err)
	}
	for _, text := range []string{`DELETE FROM looks`, `UPDATE looks SET officer = 'nobody'`} {
		if _, err := db.Exec(text); err == nil {
			t.Errorf("%s went through", text)
		}
	}
}

// A new filing has been seen by nobody, whoever saw those before it.
func TestANewFilingIsUnseen(t *testing.T) {
	r := serve(t, t.TempDir())
	r.file(told(1, nil))
	look := "/v1/cases/" + ulid(1) + "/seen"
	answer[safety.Case](r, "POST", look, officerToken, `{"officer":"Rahima"}`)
	r.file(noticed(1, nil))
	if got := r.cases(officerToken)[0]; got.SeenBy != "" || got.SeenAt != nil {
		t.Errorf("nobody has looked at the notice: %+v", got)
	}
	r.file(told(1, nil)) // the same again is nothing new
	answer[safety.Case](r, "POST", look, officerToken, `{"officer":"Karim"}`)
	r.file(noticed(1, nil))
	if got := r.cases(officerToken)[0]; got.SeenBy != "Karim" {
		t.Errorf("case %+v", got)
	}
	type feed struct {
		Items []safety.Seen
		After int64
	}
	all := answer[feed](r, "GET", "/v1/seen", padmaToken, "")
	if len(all.Items) != 2 || all.Items[0].ID != ulid(1001) || all.Items[0].By != "Rahima" || all.Items[0].Kind != "signal" ||
		all.Items[1].ID != ulid(2001) || all.Items[1].By != "Karim" || all.Items[1].Kind != "notice" {
		t.Errorf("the sender is told %+v", all)
	}
	if rest := answer[feed](r, "GET", fmt.Sprint("/v1/seen?after=", all.After), padmaToken, ""); len(rest.Items) != 0 || rest.After != all.After {
		t.Errorf("told again: %+v", rest)
	}
	if again := answer[feed](r, "GET", "/v1/seen?after=99999", padmaToken, ""); len(again.Items) != 2 {
		t.Errorf("a position of another database: %+v", again)
	}
	if other := answer[feed](r, "GET", "/v1/seen", meghnaToken, ""); len(other.Items) != 0 || other.After != all.After {
		t.Errorf("another sender is told %+v", other)
	}
	if status, _ := r.do("GET", "/v1/seen", officerToken, ""); status != http.StatusUnauthorized {
		t.Errorf("an officer's token: %d", status)
	}
}

func TestOfficesAndCases(t *testing.T) {
	r := serve(t, t.TempDir())
	r.file(told(1, nil), told(2, func(s *safety.Signal) { s.Office = "dhaka" }), told(3, func(s *safety.Signal) { s.Office = "" }))
	one, seen := "/v1/cases/"+ulid(1), "/v1/cases/"+ulid(1)+"/seen"
	officer := `{"officer":"Rahima"}`
	cases := []struct {
		name                      string
		method, path, token, body string
		status                    int
		shows                     []int
	}{
		{"an office its own", "GET", "/v1/cases", officerToken, "", 200, []int{1}},
		{"another office its own", "GET", "/v1/cases", otherOfficer, "", 200, []int{2}},
		{"the head office all", "GET", "/v1/cases", headOffice, "", 200, []int{1, 2, 3}},
		{"the head office narrowed", "GET", "/v1/cases?office=dhaka", headOffice, "", 200, []int{2}},
		{"an office that is not the asker's", "GET", "/v1/cases?office=gazipur", otherOfficer, "", 403, nil},
		{"pages of many officers say for whom", "GET", "/v1/cases?office=gazipur", pagesToken, "", 200, []int{1}},
		{"pages that do not say it read nothing", "GET", "/v1/cases", pagesToken, "", 400, nil},
		{"nor the old queue", "GET", "/v1/queue", pagesToken, "", 400, nil},
		{"nor a filing", "GET", "/v1/filings/" + ulid(1001), pagesToken, "", 400, nil},
		{"another office's filing", "GET", "/v1/filings/" + ulid(1001) + "?office=dhaka", pagesToken, "", 404, nil},
		{"a case", "GET", one, officerToken, "", 200, []int{1}},
		{"another office's case", "GET", one, otherOfficer, "", 404, nil},
		{"another office's case, narrowed", "GET", one + "?office=dhaka", headOffice, "", 404, nil},
		{"looking at another office's case", "POST", seen, otherOfficer, officer, 404, nil},
		{"no case", "GET", "/v1/cases/" + ulid(77), officerToken, "", 404, nil},
		{"a sender reads no cases", "GET", "/v1/cases", padmaToken, "", 401, nil},
		{"a sender looks at none", "POST", seen, padmaToken, officer, 401, nil},
		{"nobody", "GET", "/v1/cases", "", "", 401, nil},
		{"no name", "POST", seen, officerToken, `{"officer":"  "}`, 400, nil},
		{"a name of many lines", "POST", seen, officerToken, `{"officer":"a\nb"}`, 400, nil},
		{"a name without end", "POST", seen, officerToken, `{"officer":"` + strings.Repeat("x", 101) + `"}`, 400, nil},
		{"no JSON", "POST", seen, officerToken, `officer`, 400, nil},
		{"a cursor that is none", "GET", "/v1/cases?cursor=x", officerToken, "", 400, nil},
		{"neither true nor false", "GET", one + "?exercise=perhaps", officerToken, "", 400, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, text := r.do(c.method, c.path, c.token, c.body)
			if status != c.status {
				t.Errorf("got %d %s, want %d", status, text, c.status)
			}
			for n := 1; n <= 3; n++ {
				if strings.Contains(text, ulid(n)) != slices.Contains(c.shows, n) {
					t.Errorf("case %d: shown %t in %s", n, !slices.Contains(c.shows, n), text)
				}
			}
		})
	}
	for _, c := range r.cases(headOffice) {
		if c.SeenBy != "" {
			t.Errorf("%s is seen by %s", c.IncidentID, c.SeenBy)
		}
	}
}

func TestAnIncidentIsOfOneFactory(t *testing.T) {
	r := serve(t, t.TempDir())
	r.file(told(1, nil))
	other := told(2, func(s *safety.Signal) { s.FactoryID, s.IncidentID = "meghna", ulid(1) })
	if status, text := r.do("POST", "/v1/signals", meghnaToken, encode(t, other)); status != http.StatusConflict {
		t.Errorf("%d %s", status, text)
	}
}

// open opens the desk's database beside it.
func open(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "desk.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// A database of the first version gets its cases, and keeps its receipts.
func TestCasesOfAnOlderDatabase(t *testing.T) {
	dir := t.TempDir()
	r := serve(t, dir)
	r.file(told(1, nil), noticed(1, nil), told(2, nil))
	want := r.cases(headOffice)
	first := r.receipt("/v1/signals", encode(t, told(1, nil)))
	r.stop()
	db := open(t, dir)
	for _, text := range []string{
		`DROP TABLE heads`, `DROP TABLE head_faults`, `DROP TABLE cases`, `DROP TABLE looks`, `DROP INDEX filings_incident`, `PRAGMA user_version = 1`,
	} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	r = serve(t, dir)
	if got := r.cases(headOffice); encode(t, got) != encode(t, want) || len(got) != 2 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if again := r.receipt("/v1/signals", encode(t, told(1, nil))); again != first {
		t.Errorf("got %+v, want %+v", again, first)
	}
}

// What was seen leaves the queue after a week; what nobody saw never does.
func TestOldCasesLeaveTheQueue(t *testing.T) {
	dir := t.TempDir()
	r := serve(t, dir)
	r.file(told(1, nil), told(2, nil))
	answer[safety.Case](r, "POST", "/v1/cases/"+ulid(1)+"/seen", officerToken, `{"officer":"Rahima"}`)
	old := time.Now().Add(-8 * 24 * time.Hour).UnixMilli()
	if _, err := open(t, dir).Exec(`UPDATE cases SET newest_at = ?`, old); err != nil {
		t.Fatal(err)
	}
	if got := r.cases(officerToken); len(got) != 1 || got[0].IncidentID != ulid(2) {
		t.Errorf("cases %+v", got)
	}
	if status, _ := r.do("GET", "/v1/cases/"+ulid(1), officerToken, ""); status != 200 {
		t.Errorf("an old case cannot be found: %d", status)
	}
}
