"""What of the hub the console's pages are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.ports.clock import Clock
from domain.ports.staff_tokens import StaffTokens
from domain.ports.tokens import Tokens
from domain.use_cases.add_sender import AddSender
from domain.use_cases.cancel_text import CancelText
from domain.use_cases.change_program import ChangeProgram
from domain.use_cases.check_access import CheckAccess
from domain.use_cases.check_staff import CheckStaff
from domain.use_cases.create_program import CreateProgram
from domain.use_cases.export_opt_outs import ExportOptOuts
from domain.use_cases.export_texts import ExportTexts
from domain.use_cases.import_opt_outs import ImportOptOuts
from domain.use_cases.issue_token import IssueToken
from domain.use_cases.keep_templates import KeepTemplates
from domain.use_cases.keep_webhooks import KeepWebhooks
from domain.use_cases.list_audit_events import ListAuditEvents
from domain.use_cases.list_inbound_messages import ListInboundMessages
from domain.use_cases.list_opt_outs import ListOptOuts
from domain.use_cases.list_programs import ListPrograms, ShowProgram
from domain.use_cases.operate_keys import OperateKeys
from domain.use_cases.operate_senders import ChangeSender, Pause
from domain.use_cases.operate_staff_roles import OperateStaffRoles
from domain.use_cases.preview_text import PreviewText
from domain.use_cases.read_texts import FindText, ListDeliveries, ListTexts
from domain.use_cases.read_usage import ReadUsage
from domain.use_cases.remove_sender import RemoveSender
from domain.use_cases.send_text import SendText
from domain.use_cases.set_opt_out import SetOptOut
from domain.use_cases.sign_in_staff import SignInStaff
from domain.use_cases.survey_senders import SurveySenders


@dataclass(frozen=True, kw_only=True)
class UseCases:
    tokens: Tokens
    clock: Clock
    check_access: CheckAccess
    issue_token: IssueToken
    show_program: ShowProgram
    read_usage: ReadUsage
    list_texts: ListTexts
    find_text: FindText
    list_deliveries: ListDeliveries
    cancel_text: CancelText
    export_texts: ExportTexts
    send_text: SendText
    preview_text: PreviewText
    keep_templates: KeepTemplates
    list_inbound_messages: ListInboundMessages
    list_opt_outs: ListOptOuts
    export_opt_outs: ExportOptOuts
    import_opt_outs: ImportOptOuts
    set_opt_out: SetOptOut
    keep_webhooks: KeepWebhooks
    list_programs: ListPrograms
    create_program: CreateProgram
    change_program: ChangeProgram
    add_sender: AddSender
    remove_sender: RemoveSender
    change_sender: ChangeSender
    operate_keys: OperateKeys
    pause: Pause
    survey_senders: SurveySenders
    list_audit_events: ListAuditEvents
    staff_tokens: StaffTokens
    check_staff: CheckStaff
    operate_staff_roles: OperateStaffRoles
    # None where the hub has no identity provider.
    sign_in_staff: SignInStaff | None

    @property
    def providers(self) -> Sequence[str]:
        """By which a sender can be one's own."""
        return [name for name in self.create_program.providers if name != "mail"]
