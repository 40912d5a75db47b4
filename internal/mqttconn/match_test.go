package mqttconn

import "testing"

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		filter, topic string
		want          bool
	}{
		{"a/b", "a/b", true},
		{"a/b", "a", false},
		{"a", "a/b", false},
		{"a/+", "a/b", true},
		{"a/+", "a/", true},
		{"a/+", "a", false},
		{"a/+", "a/b/c", false},
		{"+/b", "a/b", true},
		{"a/#", "a", true},
		{"a/#", "a/b/c", true},
		{"a/#", "ab", false},
		{"#", "a/b", true},
		{"#", "$SYS/x", false},
		{"+/x", "$SYS/x", false},
		{"$SYS/#", "$SYS/x", true},
		{"/+", "/a", true},
		{"+", "/a", false},
		{"a/+/c", "a//c", true},
	} {
		if got := match(tt.filter, tt.topic); got != tt.want {
			t.Errorf("match(%q, %q) = %v", tt.filter, tt.topic, got)
		}
	}
}
