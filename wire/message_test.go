package wire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"nirapod/safety"
	"nirapod/wire"
)

func TestMessagesRefuse(t *testing.T) {
	birth, presence := wire.BirthTopic("padma", "gw-1"), wire.PresenceTopic("padma", "gw-1")
	commit, cmd := wire.CommitTopic("padma", "gw-1", wire.Readings), wire.CmdTopic("padma", "gw-1")
	live, wake := wire.LiveTopic("padma"), wire.WakeTopic("padma")
	const goodBirth = `{"gateway":"gw-1","run":"0123456789abcdef","boot":"b","version":"1","mono":1,"clock":"unsynced",` +
		`"anchors":[{"id":"a","boot":"b","mono":1,"wall":"2026-11-22T07:00:00Z","error_ms":1}],` +
		`"sensors":[{"id":"s","quantity":"co","period_ms":1000}]}`
	const goodCommit = `{"run":"0123456789abcdef","stream":"r","upto":5,"ranges":[[7,8],[9,9]],"epoch":"e"}`
	const goodCmd = `{"id":"1","kind":"ack","point":"0123456789abcdef","by":"x","expires":"2026-11-22T07:00:00Z"}`
	const goodPermit = `{"id":"1","kind":"permit","by":"x","expires":"2026-11-22T07:00:00Z","permit":{"id":"p","work":"hot_work","zone_id":"z",` +
		`"sensor_ids":["s"],"from":"2026-11-22T05:00:00Z","until":"2026-11-22T06:00:00Z","issued_by":"a","accepted_by":"b","watch":"c"}}`
	const goodEnd = `{"id":"1","kind":"permit-end","permit_id":"p","by":"x","expires":"2026-11-22T07:00:00Z"}`
	const goodTest = `{"id":"1","kind":"self-tested","permit_id":"p","sensor_ids":["s"],"by":"x","expires":"2026-11-22T07:00:00Z"}`
	const goodLive = `{"at":"2026-11-22T07:00:01Z","readings":[{"gateway":"g","sensor":"s","value":1,"quality":"good","at":"2026-11-22T07:00:01Z"}]}`
	const goodPresence = `{"run":"0123456789abcdef","online":true,"at":"2026-11-22T07:00:00Z"}`
	for _, tt := range []struct {
		name           string
		topic          wire.Topic
		good, old, new string
		want           string
	}{
		{"no object", birth, goodBirth, goodBirth, `[]`, "want one JSON object"},
		{"two objects", birth, goodBirth, goodBirth, goodBirth + goodBirth, "nothing may follow"},
		{"another gateway's birth", birth, goodBirth, `"gw-1"`, `"gw-2"`, "birth of gateway"},
		{"a bad run", birth, goodBirth, "0123456789abcdef", "0", "run"},
		{"unsynced with a time", birth, goodBirth, `"mono":1,"clock"`, `"mono":1,"at":"2026-11-22T07:00:00Z","clock"`, "leave it out"},
		{"synced without a time", birth, goodBirth, "unsynced", "synced", "at: want"},
		{"an unknown clock", birth, goodBirth, "unsynced", "fine", "clock"},
		{"a sensor twice", birth, goodBirth, `"sensors":[`, `"sensors":[{"id":"s","quantity":"co","period_ms":1000},`, "stands twice"},
		{"an unknown quantity", birth, goodBirth, `"co"`, `"happiness"`, "quantity"},
		{"no period", birth, goodBirth, `"period_ms":1000`, `"period_ms":0`, "period_ms"},
		{"a negative error", birth, goodBirth, `"error_ms":1`, `"error_ms":-1`, "error_ms"},
		{"an anchor without a boot", birth, goodBirth, `"id":"a","boot":"b"`, `"id":"a","boot":""`, "boot"},
		{"microseconds", birth, goodBirth, "07:00:00Z", "07:00:00.0001Z", "whole milliseconds"},
		{"local time", birth, goodBirth, "07:00:00Z", "13:00:00+06:00", "UTC"},
		{"a long version", birth, goodBirth, `"version":"1"`, `"version":"` + strings.Repeat("x", 600) + `"`, "512 bytes"},
		{"a presence without a run", presence, goodPresence, "0123456789abcdef", "", "run"},
		{"a presence of 1970", presence, goodPresence, "2026", "1970", "at: want"},
		{"17 KiB", presence, goodPresence, `"online"`, `"x":"` + strings.Repeat("x", 17<<10) + `","online"`, "send at most 16384"},
		{"the other stream's commit", commit, goodCommit, `"r"`, `"a"`, "commit of stream"},
		{"no epoch", commit, goodCommit, `"e"`, `""`, "epoch"},
		{"ranges below upto", commit, goodCommit, `[7,8]`, `[5,8]`, "range 1"},
		{"ranges that touch", commit, goodCommit, `[9,9]`, `[8,9]`, "range 2"},
		{"a range backwards", commit, goodCommit, `[9,9]`, `[11,10]`, "range 2"},
		{"a negative seq", commit, goodCommit, `"upto":5`, `"upto":-5`, "want one JSON object"},
		{"a seq above 2^53", commit, goodCommit, `[9,9]`, `[9,9007199254740992]`, "range 2"},
		{"33 ranges", commit, goodCommit, `[7,8],[9,9]`, manyRanges(33), "33 ranges"},
		{"an unknown command", cmd, goodCmd, `"ack"`, `"silence"`, "kind"},
		{"a command for ever", cmd, goodCmd, `"2026-11-22T07:00:00Z"`, `"0001-01-01T00:00:00Z"`, "expires"},
		{"a command without a point", cmd, goodCmd, "0123456789abcdef", "", "point"},
		{"a permit that is none", cmd, goodPermit, `"permit":{`, `"paper":{`, "missing"},
		{"a permit of one person", cmd, goodPermit, `"accepted_by":"b"`, `"accepted_by":"A"`, "two people"},
		{"a permit of five hours", cmd, goodPermit, `T06:00`, `T10:00`, "at most"},
		{"a permit in local time", cmd, goodPermit, `T06:00:00Z`, `T12:00:00+06:00`, "until"},
		{"a permit for no sensor", cmd, goodPermit, `["s"]`, `[]`, "0 sensors"},
		{"a permit for a place", cmd, goodPermit, `["s"]`, `["the hall"]`, "sensor_ids"},
		{"a permit without a zone", cmd, goodPermit, `"z"`, `""`, "zone_id"},
		{"a name with a line end", cmd, goodPermit, `"watch":"c"`, `"watch":"c\n"`, "control"},
		{"the end of nothing", cmd, goodEnd, `"p"`, `""`, "permit_id"},
		{"a test after nothing", cmd, goodTest, `"p"`, `""`, "permit_id"},
		{"a test of nothing", cmd, goodTest, `["s"]`, `[]`, "0 sensors"},
		{"a bad reading with a value", live, goodLive, `"good"`, `"bad","reason":"crc"`, "a value unless bad"},
		{"a good reading without", live, goodLive, `"value":1,`, ``, "a value unless bad"},
		{"an unknown quality", live, goodLive, `"good"`, `"fine"`, "quality"},
		{"an unknown wake", wake, `{"kind":"alerts"}`, "alerts", "all", "kind"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := decodeAny(tt.topic, []byte(tt.good)); err != nil {
				t.Fatalf("the good one: %v", err)
			}
			payload := strings.Replace(tt.good, tt.old, tt.new, 1)
			v, err := decodeAny(tt.topic, []byte(payload))
			if !errors.Is(err, safety.ErrInvalid) || !strings.Contains(fmt.Sprint(err), tt.want) {
				t.Errorf("got %+v, %v; want an error with %q", v, err, tt.want)
			}
		})
	}
}

func manyRanges(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "[%d,%d]", 10+2*i, 10+2*i)
	}
	return b.String()
}
