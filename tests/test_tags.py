"""Tags of resources, through the unmodified `aws` CLI of both generations and boto3."""

import json

import pytest

from support.aws import CLI_V1, CLI_V2, Aws, AwsError, allow_all, register_ca


def arn(aws, resource):
    return f"arn:aws:iot:{aws.region}:{aws.account.account_id}:{resource}"


def tags(aws, of):
    return {tag["Key"]: tag["Value"] for tag in aws.iot("list-tags-for-resource", "--resource-arn", of)["tags"]}


def tag(aws, of, **values):
    pairs = json.dumps([{"Key": key, "Value": value} for key, value in values.items()])
    return aws.iot("tag-resource", "--resource-arn", of, "--tags", pairs)


def untag(aws, of, *keys):
    return aws.iot("untag-resource", "--resource-arn", of, "--tag-keys", *keys)


def refusal(call, *arguments, **values):
    with pytest.raises(AwsError) as caught:
        call(*arguments, **values)
    return caught.value.code


def test_tags_of_policies_and_cas_from_creation_to_the_end(aws, ca):
    ca_arn = arn(aws, "cacert/" + register_ca(aws, ca, "--tags", "Key=plant,Value=north"))
    document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}'
    made = aws.iot("create-policy", "--policy-name", "p", "--policy-document", document, "--tags", "Key=plant,Value=north")
    kind = aws.iot("create-thing-type", "--thing-type-name", "t", "--tags", "Key=plant,Value=north")["thingTypeArn"]
    for of in (ca_arn, made["policyArn"], kind):
        assert tags(aws, of) == {"plant": "north"}
        assert tag(aws, of, plant="south", owner="Jörg") == {}
        assert tags(aws, of) == {"plant": "south", "owner": "Jörg"}
        assert untag(aws, of, "plant", "never-there") == {}
        assert tags(aws, of) == {"owner": "Jörg"}
    aws.iot("delete-policy", "--policy-name", "p")
    assert refusal(tags, aws, made["policyArn"]) == "ResourceNotFoundException"


@pytest.mark.parametrize("cli", [CLI_V1, CLI_V2])
def test_both_generations_of_the_cli_read_and_write_tags(broker, account, cli):
    aws = Aws(broker, account, cli)
    policy = arn(aws, "policy/" + allow_all(aws))
    tag(aws, policy, a="1", b="2")
    untag(aws, policy, "a")
    assert tags(aws, policy) == {"b": "2"}


def test_a_resource_has_at_most_fifty_tags(aws):
    api, policy = aws.boto3(), arn(aws, "policy/" + allow_all(aws))
    api.tag_resource(resourceArn=policy, tags=[{"Key": f"k{n}", "Value": "v"} for n in range(50)])
    with pytest.raises(api.exceptions.LimitExceededException):
        api.tag_resource(resourceArn=policy, tags=[{"Key": "one-more", "Value": "v"}])
    api.tag_resource(resourceArn=policy, tags=[{"Key": "k0", "Value": "other"}])
    answer = api.list_tags_for_resource(resourceArn=policy)
    assert len(answer["tags"]) == 50 and "nextToken" not in answer and answer["tags"][0] == {"Key": "k0", "Value": "other"}


@pytest.mark.parametrize("key", ["aws:mine", "AWS:mine", "no!", "k" * 129])
def test_a_key_outside_the_rules_is_refused(aws, key):
    policy = arn(aws, "policy/" + allow_all(aws))
    pairs = json.dumps([{"Key": key, "Value": "v"}])
    assert refusal(aws.iot, "tag-resource", "--resource-arn", policy, "--tags", pairs) == "InvalidRequestException"
    assert tags(aws, policy) == {}


def test_what_carries_no_tags_is_refused(aws, broker):
    other = Aws(broker, broker.create_account())
    for resource in (arn(aws, "cert/" + "ab" * 32), arn(aws, "client/c"), arn(other, "policy/p"), "policy/p"):
        assert refusal(tags, aws, resource) == "InvalidRequestException"
