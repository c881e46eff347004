package deploy

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// A schema is what a resource, a data source or a block of the AWS provider has:
// arguments that must and may be there, blocks, and what can be read of it beside
// its arguments. It stands for the provider, which cannot be had without a registry:
// a name that is misspelt is found here, a value that AWS refuses is not.
//
// Written down from the provider's documentation, version 5.47 on (the first with
// rotation_period_in_days), and only as far as the modules may need it: what is
// missing here and exists is added.
type schema struct {
	required, optional, exported string
	blocks                       map[string]schema
}

var (
	tagged      = "tags tags_all"
	ofCondition = schema{required: "test variable values"}
	ofPrincipal = schema{required: "type identifiers"}
	ofStatement = schema{
		optional: "sid effect actions not_actions resources not_resources",
		blocks:   map[string]schema{"principals": ofPrincipal, "not_principals": ofPrincipal, "condition": ofCondition},
	}
	ofRule = "cidr_ipv4 cidr_ipv6 description from_port to_port prefix_list_id referenced_security_group_id tags"
)

var resources = map[string]schema{
	"aws_cloudwatch_event_rule": {
		optional: "name name_prefix schedule_expression event_bus_name event_pattern force_destroy description role_arn state tags",
		exported: "id arn",
	},
	"aws_cloudwatch_event_target": {
		required: "rule arn", optional: "target_id event_bus_name input input_path role_arn force_destroy",
		blocks: map[string]schema{
			"input_transformer":  {required: "input_template", optional: "input_paths"},
			"dead_letter_config": {optional: "arn"},
			"retry_policy":       {optional: "maximum_event_age_in_seconds maximum_retry_attempts"},
		},
	},
	"aws_cloudwatch_log_group": {optional: "name name_prefix skip_destroy log_group_class retention_in_days kms_key_id tags", exported: "arn id"},
	"aws_config_config_rule": {
		required: "name", optional: "description input_parameters maximum_execution_frequency tags", exported: "arn rule_id",
		blocks: map[string]schema{
			"!source": {required: "owner", optional: "source_identifier", blocks: map[string]schema{
				"source_detail": {optional: "event_source maximum_execution_frequency message_type"},
			}},
			"scope": {optional: "compliance_resource_id compliance_resource_types tag_key tag_value"},
		},
	},
	"aws_ecs_cluster": {required: "name", optional: "tags", exported: "arn id", blocks: map[string]schema{"setting": {required: "name value"}}},
	"aws_ecs_service": {
		required: "name",
		optional: "cluster task_definition desired_count launch_type platform_version deployment_minimum_healthy_percent deployment_maximum_percent " +
			"enable_execute_command force_new_deployment health_check_grace_period_seconds propagate_tags scheduling_strategy wait_for_steady_state tags",
		exported: "id",
		blocks: map[string]schema{
			"network_configuration":      {required: "subnets", optional: "security_groups assign_public_ip"},
			"load_balancer":              {required: "container_name container_port", optional: "target_group_arn elb_name"},
			"deployment_circuit_breaker": {required: "enable rollback"},
		},
	},
	"aws_ecs_task_definition": {
		required: "family container_definitions",
		optional: "requires_compatibilities network_mode cpu memory execution_role_arn task_role_arn ipc_mode pid_mode skip_destroy track_latest tags",
		exported: "arn arn_without_revision revision",
		blocks: map[string]schema{
			"volume": {required: "name", optional: "host_path configure_at_launch", blocks: map[string]schema{
				"efs_volume_configuration": {required: "file_system_id", optional: "root_directory transit_encryption transit_encryption_port", blocks: map[string]schema{
					"authorization_config": {optional: "access_point_id iam"},
				}},
			}},
			"runtime_platform":  {optional: "operating_system_family cpu_architecture"},
			"ephemeral_storage": {required: "size_in_gib"},
		},
	},
	"aws_efs_access_point": {
		required: "file_system_id", optional: "tags", exported: "arn id file_system_arn owner_id",
		blocks: map[string]schema{
			"posix_user":     {required: "uid gid", optional: "secondary_gids"},
			"root_directory": {optional: "path", blocks: map[string]schema{"creation_info": {required: "owner_gid owner_uid permissions"}}},
		},
	},
	"aws_efs_file_system": {
		optional: "creation_token availability_zone_name encrypted kms_key_id performance_mode provisioned_throughput_in_mibps throughput_mode tags",
		exported: "arn id dns_name number_of_mount_targets owner_id size_in_bytes",
		blocks:   map[string]schema{"lifecycle_policy": {optional: "transition_to_ia transition_to_archive transition_to_primary_storage_class"}, "protection": {optional: "replication_overwrite"}},
	},
	"aws_efs_mount_target": {required: "file_system_id subnet_id", optional: "ip_address security_groups", exported: "id dns_name mount_target_dns_name file_system_arn network_interface_id"},
	"aws_iam_role": {
		required: "assume_role_policy", optional: "name name_prefix description force_detach_policies max_session_duration path permissions_boundary tags", exported: "arn id unique_id create_date",
	},
	"aws_iam_role_policy": {required: "policy role", optional: "name name_prefix", exported: "id"},
	"aws_kms_alias":       {required: "target_key_id", optional: "name name_prefix", exported: "arn id target_key_arn"},
	"aws_kms_key": {
		optional: "description key_usage custom_key_store_id customer_master_key_spec policy bypass_policy_lockout_safety_check deletion_window_in_days is_enabled " +
			"enable_key_rotation rotation_period_in_days multi_region xks_key_id tags",
		exported: "arn key_id id",
	},
	"aws_security_group": {optional: "name name_prefix description vpc_id revoke_rules_on_delete tags", exported: "arn id owner_id"},
	"aws_sns_topic": {
		optional: "name name_prefix display_name policy delivery_policy kms_master_key_id fifo_topic content_based_deduplication signature_version tracing_config tags",
		exported: "arn id owner beginning_archive_time",
	},
	"aws_sns_topic_policy": {required: "arn policy", exported: "owner"},
	"aws_sns_topic_subscription": {
		required: "topic_arn protocol endpoint",
		optional: "confirmation_timeout_in_minutes delivery_policy endpoint_auto_confirms filter_policy filter_policy_scope raw_message_delivery redrive_policy subscription_role_arn",
		exported: "arn id owner_id pending_confirmation confirmation_was_authenticated",
	},
	"aws_vpc_security_group_egress_rule":  {required: "security_group_id ip_protocol", optional: ofRule, exported: "arn security_group_rule_id"},
	"aws_vpc_security_group_ingress_rule": {required: "security_group_id ip_protocol", optional: ofRule, exported: "arn security_group_rule_id"},
}

var dataSources = map[string]schema{
	"aws_caller_identity": {exported: "account_id arn id user_id"},
	"aws_partition":       {exported: "partition dns_suffix id reverse_dns_prefix"},
	"aws_region":          {optional: "name endpoint", exported: "id description"},
	"aws_iam_policy_document": {
		optional: "override_policy_documents policy_id source_policy_documents version", exported: "json minified_json id",
		blocks: map[string]schema{"statement": ofStatement},
	},
}

// meta are the arguments and blocks of Terraform's own.
const meta = "for_each count depends_on provider lifecycle"

// TestTerraformFitsTheProvider holds every argument, block and attribute to the
// provider's schemas.
func TestTerraformFitsTheProvider(t *testing.T) {
	seen := map[string]bool{}
	for _, files := range modules(t) {
		for _, name := range files {
			body := parseFile(t, name)
			for _, b := range body.Blocks {
				known := map[string]map[string]schema{"resource": resources, "data": dataSources}[b.Type]
				if known == nil {
					continue
				}
				s, ok := known[b.Labels[0]]
				if !ok {
					t.Errorf("%s: of %s %s there is no schema here", b.Range(), b.Type, b.Labels[0])
					continue
				}
				seen[b.Labels[0]] = true
				s.optional += " " + meta
				s.check(t, b.Labels[0], b.Body)
			}
			readsWhatIsThere(t, body)
		}
	}
	for _, all := range []map[string]schema{resources, dataSources} {
		for name := range all {
			if !seen[name] {
				t.Errorf("%s is not used any more", name)
			}
		}
	}
}

// check holds a body to the schema.
func (s schema) check(t *testing.T, what string, body *hclsyntax.Body) {
	t.Helper()
	for name, a := range body.Attributes {
		if !slices.Contains(strings.Fields(s.required+" "+s.optional), name) {
			t.Errorf("%s: %s has no argument %s", a.Range(), what, name)
		}
	}
	for _, name := range strings.Fields(s.required) {
		if body.Attributes[name] == nil {
			t.Errorf("%s: %s lacks %s", body.Range(), what, name)
		}
	}
	there := map[string]bool{}
	for _, b := range body.Blocks {
		name, inner := b.Type, b.Body
		if name == "dynamic" {
			name = b.Labels[0]
			for _, c := range b.Body.Blocks {
				if c.Type == "content" {
					inner = c.Body
				}
			}
		}
		if name == "lifecycle" {
			continue
		}
		there[name] = true
		of, ok := s.blocks[name]
		if !ok {
			of, ok = s.blocks["!"+name]
		}
		if !ok {
			t.Errorf("%s: %s has no block %s", b.Range(), what, name)
			continue
		}
		of.check(t, what+" "+name, inner)
	}
	for name := range s.blocks {
		if needed, ok := strings.CutPrefix(name, "!"); ok && !there[needed] {
			t.Errorf("%s: %s lacks the block %s", body.Range(), what, needed)
		}
	}
}

// readsWhatIsThere holds every reference to an attribute of a resource to what can
// be read of it.
func readsWhatIsThere(t *testing.T, body *hclsyntax.Body) {
	t.Helper()
	_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
		e, ok := n.(*hclsyntax.ScopeTraversalExpr)
		if !ok {
			return nil
		}
		path, known, name := e.Traversal[1:], resources, e.Traversal.RootName()
		if name == "data" {
			known = dataSources
			name = path[0].(hcl.TraverseAttr).Name
			path = path[1:]
		}
		s, ok := known[name]
		if !ok {
			return nil
		}
		for _, step := range path[1:] { // after the name that it has here
			attribute, ok := step.(hcl.TraverseAttr)
			if !ok {
				continue // [0]
			}
			if !slices.Contains(strings.Fields(s.required+" "+s.optional+" "+s.exported+" "+tagged), attribute.Name) {
				t.Errorf("%s: of %s nobody can read %s", e.Range(), name, attribute.Name)
			}
			break
		}
		return nil
	})
}
