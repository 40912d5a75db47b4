package dashboard

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

// story is what one smouldering carton leaves in the state of factory a.
func (b *bench) story(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	when := func(s int) *time.Time { v := at(s); return &v }
	change := func(s int, point string, to safety.State) safety.Transition {
		return safety.Transition{
			Factory: "a", Source: "gw-a", Run: "r", Seq: uint64(1000 + s), Point: point, Rule: "smoke", Class: safety.ClassAlarm,
			Zone: "hall", From: safety.Inactive, To: to, At: at(s), Values: map[string]float64{"value": float64(s)},
		}
	}
	alert := func(id, point, incident string, from int) state.Alert {
		return state.Alert{Alert: safety.Alert{
			ID: id, Point: point, FactoryID: "a", ZoneID: "hall", Rule: "smoke", Class: safety.ClassAlarm, Severity: safety.Alarm,
			State: safety.Unacknowledged, OccurredAt: at(from), RaisedAt: at(from + 1), IncidentID: incident,
		}}
	}
	old, smoke := alert("01-old", "smoke", "incident-a", 1), alert("02-smoke", "smoke", "story", 100)
	old.State, old.ClearedAt = safety.Cleared, when(20)
	smoke.State, smoke.AcknowledgedAt, smoke.AcknowledgedBy = safety.Acknowledged, when(110), "committee-a"
	err := b.db.CommitBatch(ctx, state.Batch{Transitions: []safety.Transition{
		change(1, "smoke", safety.Firing), change(100, "smoke", safety.Firing), change(101, "elsewhere", safety.Firing), change(200, "smoke", safety.Inactive),
	}})
	if err != nil {
		t.Fatal(err)
	}
	err = b.db.Book(ctx, func(book *state.Book) error {
		return errors.Join(
			book.SaveAlert(ctx, old), book.SaveAlert(ctx, smoke),
			book.SaveIncident(ctx, state.Incident{Incident: safety.Incident{ID: "story", FactoryID: "a", State: "open", OccurredAt: at(100), OpenedAt: at(101), ConfirmedAt: when(120)}}),
			book.SaveSignal(ctx, safety.Signal{ID: "signal", FactoryID: "a", IncidentID: "story", Confidence: "confirmed", CreatedAt: at(120), SentAt: when(121), ReceivedAt: when(122), ReceiptNumber: "DEMO-1", SeenAt: when(130), SeenBy: "officer-a"}),
			book.SaveNotice(ctx, safety.Notice{ID: "paper", FactoryID: "a", IncidentID: "story", Kind: "immediate", CreatedAt: at(120), SentAt: when(123), Body: safety.NoticeBody{Informed: []safety.Informed{
				{Recipient: "dife_office", Channel: "desk", At: at(124), By: "machine"}, {Recipient: "fire_service", Channel: "phone", At: at(125), By: "committee-a"}}}}),
			book.AddReset(ctx, state.Reset{Factory: "a", Point: "smoke", By: "committee-a", At: at(210)}),
			book.Enqueue(ctx, state.Item{Key: "notice/paper/1", Dest: "desk", Factory: "a", Kind: "notice", Ref: "paper", NotBefore: at(123), Created: at(120)}),
			book.Delay(ctx, 1, at(300)))
	})
	if err != nil {
		t.Fatal(err)
	}
	b.now = at(400)
}

func TestTimeline(t *testing.T) {
	b := newBench(t)
	b.story(t)
	status, body := b.as(t, "officer-a", http.MethodGet, "/api/v1/incidents/story/timeline")
	var page struct {
		Items []moment
		Next  *string
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil || status != http.StatusOK || page.Next != nil {
		t.Fatalf("%d, %v: %s", status, err, body)
	}
	var told []string
	for _, m := range page.Items {
		told = append(told, strings.TrimSpace(m.At.Sub(noon).String()+" "+m.Kind+" "+m.By+m.Receipt+m.To))
	}
	want := []string{
		"1m40s transition firing", "1m41s raised", "1m41s opened", "1m50s acknowledged committee-a", "2m0s confirmed",
		"2m0s signal_opened", "2m0s notice_opened", "2m1s signal_sent", "2m2s signal_received DEMO-1", "2m3s notice_sent",
		"2m5s informed committee-a", "2m10s signal_seen officer-a", "3m20s transition inactive", "3m30s reset committee-a", "5m0s notice_waiting",
	}
	if got, want := strings.Join(told, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("the timeline tells\n%s\nwant\n%s", got, want)
	}
	if page.Items[0].Values["value"] != 100 {
		t.Errorf("the first transition is of another alarm: %+v", page.Items[0])
	}
}

func TestAlertsOfAnIncident(t *testing.T) {
	b := newBench(t)
	b.story(t)
	_, body := b.as(t, "committee-a", http.MethodGet, "/api/v1/alerts?incident=story")
	if !strings.Contains(body, "02-smoke") || strings.Contains(body, "01-old") || strings.Contains(body, "alert-a") {
		t.Errorf("alerts of the incident: %s", body)
	}
}
