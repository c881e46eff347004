package kmsfake

import (
	"fmt"
	"strings"
	"sync"
)

// A Step is one call that a script expects, and its answer.
type Step struct {
	// Action ("kms:DescribeKey") and, where given, Region must be those of the
	// call.
	Action, Region string
	// Input are members that the call's input must have.
	Input map[string]any
	// Reply is the answer (for sts and iam the XML inside the result); Code
	// answers with an error instead.
	Reply any
	Code  string
}

// script expects steps. Calls made concurrently may come in any order: a call
// takes the first step that is left and fits.
type script struct {
	mu    sync.Mutex
	steps []Step
	used  []bool
	wrong []string
}

// NewScript starts a fake that answers these steps, each once, and nothing
// else: a call without a step and a step without a call fail the test.
func NewScript(tb TB, home string, steps ...Step) *Server {
	tb.Helper()
	s := New(tb, &Model{Home: home})
	s.script = &script{steps: steps, used: make([]bool, len(steps))}
	return s
}

func (s *script) next(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, step := range s.steps {
		if s.used[i] || !step.fits(r) {
			continue
		}
		s.used[i] = true
		if step.Code != "" {
			return nil, fail(step.Code, "as the script says")
		}
		if step.Reply == nil {
			return map[string]any{}, nil
		}
		return step.Reply, nil
	}
	s.wrong = append(s.wrong, fmt.Sprintf("kmsfake: unexpected call of %s:%s in %s with %v", r.service, r.op, r.region, r.input))
	return nil, fail("UnexpectedCall", "the script has no such step")
}

func (st *Step) fits(r *request) bool {
	if st.Action != r.service+":"+r.op || st.Region != "" && st.Region != r.region {
		return false
	}
	for name, want := range st.Input {
		if fmt.Sprint(r.input[name]) != fmt.Sprint(want) {
			return false
		}
	}
	return true
}

// unused returns what the script misses, and what it did not expect.
func (s *script) unused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append([]string(nil), s.wrong...)
	for i, used := range s.used {
		if !used {
			all = append(all, strings.TrimSpace(fmt.Sprintf("kmsfake: no call of %s %s with %v", s.steps[i].Action, s.steps[i].Region, s.steps[i].Input)))
		}
	}
	return all
}
