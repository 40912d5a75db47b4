package tree

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Kinds of leaves without a row of their own: the leaf's text is all there is.
const (
	KindRules    = "rules"    // packs that a server loaded
	KindEvidence = "evidence" // somebody took an incident's evidence
	KindErased   = "erased"   // somebody erased the whole text of a record
)

// Hidden stands where a text is not for everyone.
const Hidden = "[hidden]"

// open are the members that anyone may read, by kind of leaf, at whatever depth
// they stand. What is not named here is hidden: a member that is added later
// with a person's name in it stays hidden until somebody decides otherwise.
var open = map[string]map[string]bool{
	"alert": words(`id point factory_id zone_id sensor_id gateway_id rule rule_version clause hazard class severity grade
		state condition latched late exercise occurred_at raised_at acknowledged_at cleared_at incident_id
		factory incident doc reset_at`),
	"incident": words(`id factory_id kind state confirmed exercise zones occurred_at opened_at confirmed_at alert_ids
		factory next_at doc`),
	"signal": words(`id incident_id incident_kind factory_id factory dife_office demo exercise heading bn en confirmed grade
		confidence place evidence occurred_at raised_at created_at status sent_at received_at receipt_number seen_at
		incident doc`),
	"notice": words(`id incident_id incident_kind kind status factory_id exercise receipt_number occurred_at aware_at
		created_at sent_at received_at seen_at due_at clocks law clause recipient starts_at met_at verified blank
		body demo factory bn en dife_office isic place shift evidence informed channel at incident doc`),
	"reset":        words(`id factory point at`),
	"message":      words(`seq key dest factory kind ref status answer created_at expires_at`),
	"told":         words(`id factory alert step receiver role status created_at ended_at`),
	"site":         words(`version factory imported_at`),
	"site_current": words(`factory version office`),
	"permit":       words(`id factory permit kind sensor sensor_ids at doc zone_id work from until`),
	KindEvidence:   words(`incident full at office role`),
	KindErased:     words(`kind ref at leaves`),
}

// whole are the kinds in which no person stands.
var whole = words(`transition rules`)

func words(text string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(text) {
		set[word] = true
	}
	return set
}

// Redact returns what anyone may read of a text: the text itself where its kind
// names no person, else JSON with Hidden in the place of what is not for
// everyone. Of a kind that it does not know everything is hidden.
func Redact(kind string, text []byte) []byte {
	if whole[kind] {
		return text
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return []byte(`"` + Hidden + `"`)
	}
	out, err := json.Marshal(redact(open[kind], v))
	if err != nil {
		return []byte(`"` + Hidden + `"`)
	}
	return out
}

func redact(allowed map[string]bool, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			switch {
			case allowed[name]:
				v[name] = redact(allowed, member)
			case !empty(member):
				v[name] = Hidden
			}
		}
	case []any:
		for i := range v {
			v[i] = redact(allowed, v[i])
		}
	}
	return v
}

// empty reports whether a member says nothing, so that it may be seen that
// nobody acknowledged.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	}
	return false
}
