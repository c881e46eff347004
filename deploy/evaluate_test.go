package deploy

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// An evaluation is a module whose expressions have values: variables those of
// the test or their defaults, resources and data sources texts that name them.
type evaluation struct {
	t      *testing.T
	blocks []*hclsyntax.Block
	ctx    *hcl.EvalContext
}

// parseFile reads one file of a module.
func parseFile(t *testing.T, name string) *hclsyntax.Body {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	file, problems := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return file.Body.(*hclsyntax.Body)
}

// evaluate reads the module in dir and gives values to what it refers to.
func evaluate(t *testing.T, dir string, vars map[string]cty.Value) *evaluation {
	t.Helper()
	e := &evaluation{t: t}
	files, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", dir, len(files), err)
	}
	for _, name := range files {
		e.blocks = append(e.blocks, parseFile(t, name).Blocks...)
	}
	e.ctx = &hcl.EvalContext{
		Variables: map[string]cty.Value{"var": e.variables(vars)},
		Functions: map[string]function.Function{"jsonencode": stdlib.JSONEncodeFunc, "length": stdlib.LengthFunc, "toset": stdlib.MakeToFunc(cty.Set(cty.String))},
	}
	for root, tree := range e.standIns() {
		e.ctx.Variables[root] = tree.value()
	}
	e.locals()
	return e
}

// variables returns the values of var.
func (e *evaluation) variables(given map[string]cty.Value) cty.Value {
	all := map[string]cty.Value{}
	for _, b := range e.blocks {
		if b.Type != "variable" {
			continue
		}
		name := b.Labels[0]
		all[name] = cty.StringVal("<var." + name + ">")
		if d, ok := b.Body.Attributes["default"]; ok {
			v, problems := d.Expr.Value(nil)
			if problems.HasErrors() {
				e.t.Fatal(problems)
			}
			all[name] = v
		}
		if v, ok := given[name]; ok {
			all[name] = v
		}
	}
	for name := range given {
		if _, ok := all[name]; !ok {
			e.t.Fatalf("there is no variable %s", name)
		}
	}
	return cty.ObjectVal(all)
}

// A tree holds what stands in for resources: texts, by the names that lead to
// them.
type tree struct {
	kids map[string]*tree
	text string
}

func (n *tree) value() cty.Value {
	if len(n.kids) == 0 {
		return cty.StringVal(n.text)
	}
	all := map[string]cty.Value{}
	for name, kid := range n.kids {
		all[name] = kid.value()
	}
	return cty.ObjectVal(all)
}

// standIns follows every reference to a resource or data source.
func (e *evaluation) standIns() map[string]*tree {
	roots := map[string]*tree{}
	for _, b := range e.blocks {
		_ = hclsyntax.VisitAll(b.Body, func(n hclsyntax.Node) hcl.Diagnostics {
			x, ok := n.(*hclsyntax.ScopeTraversalExpr)
			if !ok || x.Traversal.RootName() != "data" && !strings.HasPrefix(x.Traversal.RootName(), "aws_") {
				return nil
			}
			at := roots[x.Traversal.RootName()]
			if at == nil {
				at = &tree{}
				roots[x.Traversal.RootName()] = at
			}
			path := x.Traversal.RootName()
			for _, step := range x.Traversal[1:] {
				attr, ok := step.(hcl.TraverseAttr)
				if !ok {
					continue // an index: no test looks at what is counted
				}
				path += "." + attr.Name
				if at.kids == nil {
					at.kids = map[string]*tree{}
				}
				if at.kids[attr.Name] == nil {
					at.kids[attr.Name] = &tree{text: "<" + path + ">"}
				}
				at = at.kids[attr.Name]
			}
			return nil
		})
	}
	return roots
}

// locals evaluates the locals, which may refer to one another.
func (e *evaluation) locals() {
	values := map[string]cty.Value{}
	for range 10 {
		e.ctx.Variables["local"] = cty.ObjectVal(values)
		for _, b := range e.blocks {
			if b.Type != "locals" {
				continue
			}
			for name, a := range b.Body.Attributes {
				if v, problems := a.Expr.Value(e.ctx); !problems.HasErrors() {
					values[name] = v
				}
			}
		}
	}
	e.ctx.Variables["local"] = cty.ObjectVal(values)
}

// block returns the block of a type and labels.
func (e *evaluation) block(kind string, labels ...string) *hclsyntax.Block {
	e.t.Helper()
	for _, b := range e.blocks {
		if b.Type == kind && slices.Equal(b.Labels, labels) {
			return b
		}
	}
	e.t.Fatalf("there is no %s %q", kind, labels)
	return nil
}

// A policy is a data source aws_iam_policy_document. What the provider does not
// know is an error when it is decoded.
type policy struct {
	Sources    []string    `hcl:"source_policy_documents,optional"`
	Statements []statement `hcl:"statement,block"`
}

type statement struct {
	Sid         string      `hcl:"sid,optional"`
	Effect      string      `hcl:"effect,optional"`
	Actions     []string    `hcl:"actions,optional"`
	NotActions  []string    `hcl:"not_actions,optional"`
	Resources   []string    `hcl:"resources,optional"`
	Principals  []principal `hcl:"principals,block"`
	NotPrincip  []principal `hcl:"not_principals,block"`
	Conditions  []condition `hcl:"condition,block"`
	NotResource []string    `hcl:"not_resources,optional"`
}

type principal struct {
	Type        string   `hcl:"type"`
	Identifiers []string `hcl:"identifiers"`
}

type condition struct {
	Test     string   `hcl:"test"`
	Variable string   `hcl:"variable"`
	Values   []string `hcl:"values"`
}

// policy evaluates a policy document.
func (e *evaluation) policy(name string) policy {
	e.t.Helper()
	var p policy
	body := dynblock.Expand(e.block("data", "aws_iam_policy_document", name).Body, e.ctx)
	if problems := gohcl.DecodeBody(body, e.ctx, &p); problems.HasErrors() {
		e.t.Fatalf("%s: %v", name, problems)
	}
	return p
}

// conditions returns, for each action that is allowed, its conditions as texts.
func (p *policy) conditions() map[string][]string {
	all := map[string][]string{}
	for _, s := range p.Statements {
		for _, a := range s.Actions {
			all[a] = append(all[a], "")
			for _, c := range s.Conditions {
				all[a] = append(all[a], c.Test+" "+c.Variable)
			}
		}
	}
	return all
}

// documented reads the actions of a policy in docs/iam and their conditions.
func documented(t *testing.T, name string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "iam", name))
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Statement []struct {
			Action    any
			Condition map[string]map[string]any
		}
	}
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	all := map[string][]string{}
	for _, s := range p.Statement {
		actions, ok := s.Action.([]any)
		if !ok {
			actions = []any{s.Action}
		}
		for _, a := range actions {
			action := fmt.Sprint(a)
			all[action] = append(all[action], "")
			for test, variables := range s.Condition {
				for variable := range variables {
					all[action] = append(all[action], test+" "+variable)
				}
			}
		}
	}
	return all
}

// TestRolesAreThoseOfTheDocumentation holds the roles to docs/iam, action by
// action and condition by condition: docs/iam is held to what the program calls.
func TestRolesAreThoseOfTheDocumentation(t *testing.T) {
	e := evaluate(t, "terraform/roles", map[string]cty.Value{
		"allow_access_keys":   cty.True,
		"respond_secret_arns": cty.ListVal([]cty.Value{cty.StringVal("arn:aws:secretsmanager:eu-west-1:471938265017:secret:a")}),
	})
	for name, file := range map[string]string{"read": "spillgate-read.json", "respond": "spillgate-respond.json"} {
		p := e.policy(name)
		have, want := p.conditions(), documented(t, file)
		for action := range have {
			if _, ok := want[action]; !ok {
				t.Errorf("%s: %s is allowed, and %s does not ask for it", name, action, file)
			}
		}
		for action, conditions := range want {
			if _, ok := have[action]; !ok {
				t.Errorf("%s: %s is not allowed, and %s asks for it", name, action, file)
			}
			for _, c := range conditions {
				if !slices.Contains(have[action], c) {
					t.Errorf("%s: %s lacks the condition %q of %s", name, action, c, file)
				}
			}
		}
		for _, s := range p.Statements {
			if wide := slices.Contains(s.Resources, "*"); wide && s.Sid != "ListAndLookUp" || len(s.Resources) == 0 || len(s.NotActions)+len(s.NotResource) > 0 {
				t.Errorf("%s: the statement %s is too wide", name, s.Sid)
			}
		}
	}
	if p := evaluate(t, "terraform/roles", nil); len(p.policy("respond").Statements) != 2 {
		t.Error("by default more is allowed than to rotate keys and to revoke grants")
	}
	for _, given := range []map[string]cty.Value{nil, {"github_repository": cty.StringVal("acme/infra")}} {
		for _, s := range evaluate(t, "terraform/roles", given).policy("trust").Statements {
			for _, p := range s.Principals {
				if slices.Contains(p.Identifiers, "*") {
					t.Error("anybody may take the roles")
				}
				if p.Type == "Federated" && len(s.Conditions) != 2 {
					t.Error("any job of GitHub may take the roles")
				}
			}
		}
	}
}

// required are the arguments without which the provider refuses a resource, and
// blocks, which end with a slash.
// Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs
var required = map[string][]string{
	"aws_cloudwatch_event_rule":           {"event_pattern"},
	"aws_cloudwatch_event_target":         {"arn", "rule"},
	"aws_cloudwatch_log_group":            {},
	"aws_config_config_rule":              {"name", "source/"},
	"aws_ecs_cluster":                     {"name"},
	"aws_ecs_service":                     {"name", "task_definition", "cluster"},
	"aws_ecs_task_definition":             {"family", "container_definitions"},
	"aws_efs_access_point":                {"file_system_id"},
	"aws_efs_file_system":                 {},
	"aws_efs_mount_target":                {"file_system_id", "subnet_id"},
	"aws_iam_role":                        {"assume_role_policy"},
	"aws_iam_role_policy":                 {"policy", "role"},
	"aws_kms_alias":                       {"target_key_id"},
	"aws_kms_key":                         {},
	"aws_security_group":                  {},
	"aws_sns_topic":                       {},
	"aws_sns_topic_policy":                {"arn", "policy"},
	"aws_sns_topic_subscription":          {"topic_arn", "protocol", "endpoint"},
	"aws_vpc_security_group_egress_rule":  {"security_group_id", "ip_protocol"},
	"aws_vpc_security_group_ingress_rule": {"security_group_id", "ip_protocol"},
}

// TestTerraformHasWhatIsRequired holds resources to the arguments that the
// provider requires, and every expression to having a value.
func TestTerraformHasWhatIsRequired(t *testing.T) {
	for dir := range modules(t) {
		e := evaluate(t, dir, nil)
		for _, b := range e.blocks {
			if b.Type != "resource" {
				continue
			}
			name := dir + ": " + strings.Join(b.Labels, ".")
			want, known := required[b.Labels[0]]
			if !known {
				t.Errorf("%s: say in this test what the provider requires of it", name)
			}
			for _, r := range want {
				block, isBlock := strings.CutSuffix(r, "/")
				_, has := b.Body.Attributes[r]
				if isBlock {
					has = slices.ContainsFunc(b.Body.Blocks, func(c *hclsyntax.Block) bool { return c.Type == block })
				}
				if !has {
					t.Errorf("%s has no %s", name, r)
				}
			}
		}
	}
}
