# SPDX-License-Identifier: BSD-2-Clause
"""What has gone wrong between real clients and imitations of Cloud Map, or surprised the
users of the real one, and which tests show that it is right here. Then the smallest set
of behaviours that a user can observe, likewise.

A name of a test is FILE::FUNCTION without test_; README: words must be in the README.
"""

import re

import gaz

TRAPS = {
    "localstack/localstack#4833, #5817":
        ("a finished creation names its namespace",
         ["terraform::namespace", "operations::targets_name_what_was_touched"]),
    "localstack/localstack#10023, aws/aws-sdk-go-v2#2556, aws/aws-sdk-js-v3#7146, "
    "aws/aws-cli#6898":
        ("discovery goes to the host data-HOST",
         ["js_sdk::discovery_prefix_goes_before_any_host",
          "discovery::boto3_with_and_without_the_prefix", "README:inject_host_prefix",
          "README:disableHostPrefix", "README:AWS_DISABLE_HOST_PREFIX_INJECTION"]),
    "aws/aws-sdk-js-v3#1290":
        ("without an endpoint the host is data-undefined", ["README:data-undefined"]),
    "ministackorg/ministack#147":
        ("clients with the prefix off need target ids in every operation",
         ["operations::targets_name_what_was_touched", "js_sdk::every_operation"]),
    "localstack/localstack#7486, getmoto/moto#8993, floci-io/floci#2556":
        ("names resolve after CreatePrivateDnsNamespace and RegisterInstance",
         ["seed::instances_of_a_service_resolve"]),
    "localstack/localstack#7205":
        ("private names need no dot",
         ["terraform::namespace", "namespaces::private_names_may_be_anything_dns_can_carry"]),
    "hashicorp/terraform-provider-aws#16779":
        ("HTTP names look like no domain",
         ["terraform::namespace", "namespaces::http_names_have_no_dns_rules"]),
    "hashicorp/terraform-provider-aws#2830, #5532":
        ("a failed operation has code and message",
         ["operations::failed_operation_explains_itself",
          "js_sdk::failed_operation_explains_itself"]),
    "hashicorp/terraform-provider-aws#6488":
        ("every operation ends",
         ["operations::delayed_operation_ends_and_then_shows",
          "operations::pending_operations_survive_and_end",
          "js_sdk::polling_sees_a_slow_operation_end"]),
    "hashicorp/terraform-provider-aws#4853, hashicorp/terraform#18264":
        ("a service with instances, also leaving ones, is ResourceInUse",
         ["terraform::private_service", "terraform::delete_while_instances_leave"]),
    "hashicorp/terraform-provider-aws PR 2613":
        ("record types and the type of a check cannot change", ["terraform::public_service"]),
    "hashicorp/terraform-provider-aws#35559, #37955, PR 40777, #44285":
        ("the threshold of a custom check comes back as 1",
         ["terraform::custom_health_check_comes_back_as_one"]),
    "hashicorp/terraform-provider-aws service.go":
        ("GetService has DnsConfig.NamespaceId; tags are read after each creation",
         ["terraform::private_service"]),
    "hashicorp/terraform-provider-aws instance.go":
        ("the address of an EC2 instance is filled in", ["terraform::instances"]),
    "hashicorp/terraform-provider-aws operation.go":
        ("overlapping private namespaces fail in the operation",
         ["terraform::two_overlapping_private_namespaces"]),
    "hashicorp/terraform-provider-aws#20313":
        ("one private name in several VPCs",
         ["terraform::two_overlapping_private_namespaces", "README:several private namespaces"]),
    "hashicorp/terraform-provider-aws#22225, aws/aws-app-mesh-roadmap#221":
        ("how long a negative answer is kept, when nobody says so",
         ["namespaces::default_soa_ttl_is_15", "seed::missing_name_is_nxdomain_with_the_soa_ttl"]),
    "hashicorp/terraform-provider-aws#8568":
        ("only RegisterInstance makes records",
         ["dns::other_opcodes_are_not_implemented", "README:There is no Route 53"]),
    "aws/aws-cli#5676":
        ("summaries of services have no namespace id",
         ["services::list_shows_summaries", "terraform::data_sources"]),
    "aws/aws-sdk-java#1973":
        ("a missing member is InvalidInput; services are not found by name",
         ["validation::value_and_path_are_quoted_as_aws_does",
          "services::bad_list_filters_are_refused"]),
    "aws/aws-cdk#25554":
        ("parallel creations of one name", ["clients::cdk_creates_in_parallel"]),
    "aws/aws-cdk#25616":
        ("a private and an HTTP namespace of one name",
         ["clients::cdk_private_and_http_namespace_of_one_name",
          "conflicts::each_pair_of_types"]),
    "ansible-collections/community.aws#2411":
        ("a second DeleteNamespace is DuplicateRequest", ["clients::ansible_deletes_twice"]),
    "aws/amazon-ecs-cli#565":
        ("a name matches several namespaces",
         ["clients::cdk_private_and_http_namespace_of_one_name",
          "terraform::two_overlapping_private_namespaces"]),
    "kubernetes-sigs/external-dns provider/awssd":
        ("DnsRecords[0], Name instead of HttpName, empty services go, nothing is polled",
         ["clients::external_dns", "clients::external_dns_without_a_type"]),
    "kubernetes-sigs/external-dns#2505, #2507":
        ("thousands of services, from lists alone",
         ["clients::external_dns_with_many_services"]),
    "kubernetes-sigs/external-dns PR 1911":
        ("no registration while the instance leaves", ["clients::external_dns_moves_a_target"]),
    "aws/aws-cloud-map-mcs-controller-for-k8s operation_poller.go":
        ("ListOperations with four filters, dates in milliseconds",
         ["clients::mcs_controller",
          "operations::the_mcs_controllers_own_call_finds_its_operation"]),
    "aws/aws-cloud-map-mcs-controller-for-k8s api.go":
        ("SRV without a policy, empty values, a thousand results",
         ["clients::mcs_controller", "clients::mcs_controller_in_an_http_namespace"]),
    "aws/aws-cloud-map-mcs-controller-for-k8s#18, #268":
        ("DNS namespaces want a DnsConfig; CNAME instances have no address",
         ["services::impossible_dns_configs_are_refused",
          "clients::discovered_cname_has_no_address"]),
    "awslabs/aws-cloudmap-prometheus-sd#68":
        ("only first pages are read",
         ["clients::prometheus_reads_first_pages_only", "clients::prometheus_target_groups",
          "paging::filter_comes_before_paging"]),
    "ab180/grpc-cloudmap-resolver":
        ("address and port are taken for granted", ["clients::grpc_resolver"]),
    "aws/aws-app-mesh-controller-for-k8s#132":
        ("no health check is UNKNOWN", ["discovery::no_check_no_filter"]),
    "aws/amazon-ecs-agent#1421":
        ("new instances are healthy unless they say otherwise",
         ["clients::ecs_agent_style_health", "health::initial_status"]),
    "aws/containers-roadmap#449, #830":
        ("a custom status takes its time on AWS",
         ["health::a_delayed_status_survives_a_kill_and_takes_effect"]),
    "aws/containers-roadmap#1231":
        ("eight records at most, at random", ["records::ten_instances_give_eight"]),
    "aws/containers-roadmap#448":
        ("SRV names of RFC 2782 are names of services", ["records::srv"]),
    "aws/amazon-ecs-agent#2079":
        ("one SRV record for each instance, 1 1 PORT", ["records::srv"]),
    "hashicorp/consul-aws PR 2":
        ("DiscoverInstances in every type of namespace", ["discovery::reply_is_whole"]),
    "BlackbirdWorks/gopherstack#1844, PR 1888":
        ("no Properties, filters without effect, TTLs by position, DeleteService that "
         "deregisters, names that overwrite each other",
         ["namespaces::private_namespace_reads_back_whole", "namespaces::filters_select",
          "services::list_filters", "paging::pages_hold_everything_once",
          "service_update::ttls_go_by_type", "services::service_with_instances_cannot_be_deleted",
          "services::names_are_unique_in_their_namespace"]),
    "getmoto/moto":
        ("one private namespace for each VPC, empty HttpProperties, members that do not "
         "exist, HEALTHY without a check",
         ["conflicts::parent_and_child_never_conflict", "traps::two_names_in_one_vpc",
          "namespaces::private_namespace_reads_back_whole", "model::the_check_finds_faults",
          "discovery::no_check_no_filter"]),
    "ministackorg/ministack":
        ("status 404, names unique over all types, SELF, a revision that health moves, whole "
         "operations in lists, unknown instances that can leave, whole seconds",
         ["errors::modelled_error", "conflicts::each_pair_of_types",
          "namespaces::private_namespace_reads_back_whole", "discovery::revision_counts_commits",
          "health::health_changes_nothing_else", "model::every_operation_answers_as_modelled",
          "js_sdk::dates_are_dates_with_milliseconds",
          "protocol::timestamps_are_numbers_with_milliseconds"]),
    "floci-io/floci#1217":
        ("all instances by default, the first ones only, no OptionalParameters, no SERVICE "
         "in targets",
         ["discovery::health_filters", "discovery::order_is_random_and_cut",
          "discovery::optional_parameters_narrow_if_they_can",
          "operations::targets_name_what_was_touched"]),
    "aws-cloudformation/cloudformation-coverage-roadmap#1552, #564":
        ("no call tells the name servers",
         ["dns::apex_of_a_public_zone", "README:name servers of a public namespace"]),
    "hashicorp/terraform-provider-aws#7016, aws/aws-cdk#2389":
        ("no DnsConfig in an HTTP namespace", ["terraform::http_services"])}

ACCEPTANCE = {
    "a private namespace from creation to HostedZoneId, SOA TTL, HttpName":
        ["seed::boto3_creates_a_private_namespace_and_its_soa_answers",
         "namespaces::private_namespace_reads_back_whole",
         "js_sdk::dates_are_dates_with_milliseconds"],
    "SOA, NS, NXDOMAIN in the VPC; REFUSED outside":
        ["dns::apex_of_a_private_zone", "seed::missing_name_is_nxdomain_with_the_soa_ttl",
         "seed::outside_cannot_tell_it_from_a_zone_never_created"],
    "ten instances, eight answers": ["records::ten_instances_give_eight",
                                     "dns::multivalue_gives_eight_of_ten_at_random"],
    "WEIGHTED, one answer": ["records::weighted_is_uniform"],
    "SRV, its target, its empty names": ["records::srv"],
    "CNAME": ["records::cname", "services::impossible_dns_configs_are_refused"],
    "custom health": ["health::multivalue_leaves_out_the_unhealthy", "discovery::health_filters",
                      "health::health_changes_nothing_else"],
    "the way back: NXDOMAIN, ResourceInUse, REFUSED":
        ["seed::instances_of_a_service_resolve", "terraform::private_service",
         "namespaces::namespace_with_a_service_cannot_be_deleted"],
    "one private name twice": ["terraform::two_overlapping_private_namespaces",
                               "conflicts::same_private_name_in_two_vpcs_has_two_zones"],
    "private before public": ["views::private_zone_hides_public_names"],
    "UpdateService": ["terraform::public_service", "service_update::ttl_of_every_record_changes"],
    "ListOperations as the MCS controller asks, DuplicateOperationId":
        ["clients::mcs_controller", "operations::boto3_sees_the_duplicate_operation_id"],
    "Terraform's plan is empty": ["terraform::private_service", "terraform::namespace",
                                  "terraform::instances"],
    "data- before the host, TCP and unix socket": ["discovery::host_does_not_matter"],
    "what is malformed, and the request id":
        ["protocol::unknown_target_is_refused",
         "protocol::malformed_json_is_a_serialization_exception",
         "validation::value_and_path_are_quoted_as_aws_does",
         "protocol::success_has_the_headers_that_sdks_read",
         "protocol::modelled_error_has_capital_message"]}


def proven(proof, readme):
    """The test exists, or the README says so."""
    if proof.startswith("README:"):
        return proof[len("README:"):] in readme
    name, function = proof.split("::")
    text = (gaz.REPO / f"tests/e2e/test_{name}.py").read_text(encoding="utf-8")
    return re.search(rf"^def test_{function}\(", text, re.M)


def test_every_row_has_its_proof():
    """No test has gone, and no words."""
    readme = " ".join((gaz.REPO / "README").read_text(encoding="utf-8").split())
    rows = {**{source: proofs for source, (_, proofs) in TRAPS.items()}, **ACCEPTANCE}
    assert [] == [(row, proof) for row, proofs in rows.items() for proof in proofs
                  if not proven(proof, readme)]
    assert all(rows.values())


def test_two_names_in_one_vpc(api):
    """A VPC has room for any number of private namespaces, and each has its HttpName."""
    for name in ("one.example", "two.example", "sub.two.example"):
        found = api.namespace(api.private(name))
        assert found["Properties"]["HttpProperties"] == {"HttpName": name}
